"""``relaysim sweep``: reads the keys and values of a call, shows and writes the rows. Knows nothing
of how they are computed.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import click

from .. import sweep
from ..errors import ScenarioError, nearest
from ..report.sweep import METRICS, print_sweep, write_sweep
from ..runner import PATIENCE
from ..sweep import Swept
from ..sweep.store import write_csv, write_parquet
from .common import console, patience_of, print_json, progress_bar
from .status import FAILS, HOLDS, WRONG


@click.command(name="sweep")
@click.argument("scenario", type=click.Path(path_type=Path))
@click.option(
    "--set",
    "settings",
    multiple=True,
    metavar="KEY=VALUES",
    help="A dotted scenario key and its values; see above.",
)
@click.option(
    "--lhs",
    type=click.IntRange(1, 1_000_000),
    metavar="N",
    help="N points of a Latin hypercube, not every combination.",
)
@click.option(
    "--seeds",
    type=click.IntRange(1, 100_000),
    default=1,
    show_default=True,
    help="Seeds for each point.",
)
@click.option(
    "--seed", type=click.IntRange(0, 2**62), help="The first seed, instead of the scenario's."
)
@click.option(
    "--jobs", type=click.IntRange(1, 256), help="Processes to use.  [default: one a core]"
)
@click.option(
    "--dask",
    metavar="ADDRESS",
    help="Run on the Dask cluster there, such as tcp://10.0.0.5:8786. Needs the extra dask.",
)
@click.option(
    "--db",
    type=click.Path(path_type=Path, dir_okay=False),
    help="Where results are kept.  [default: SCENARIO.sweep.db here]",
)
@click.option(
    "--metric",
    "metrics",
    multiple=True,
    help="A metric of the result to show and draw; may be given several times.",
)
@click.option(
    "--csv",
    "csv_file",
    type=click.Path(path_type=Path, dir_okay=False),
    help="Write every row as CSV.",
)
@click.option(
    "--parquet",
    type=click.Path(path_type=Path, dir_okay=False),
    help="Write every row as Parquet. Needs the extra parquet.",
)
@click.option(
    "--out",
    type=click.Path(path_type=Path, file_okay=False),
    help="Folder for line figures and heat maps.",
)
@click.option(
    "--patience",
    default=f"{PATIENCE:g}s",
    show_default=True,
    help="Real time that a strategy may be stuck.",
)
@click.option("--json", "as_json", is_flag=True, help="Print every row as JSON on stdout.")
def sweep_(
    scenario: Path,
    settings: Sequence[str],
    as_json: bool,
    metrics: Sequence[str],
    csv_file: Path | None,
    parquet: Path | None,
    out: Path | None,
    **given: Any,
) -> int:
    """One scenario over many values of its keys. A sweep that was stopped goes on where it was.

    \b
    --set sender.workers=1,2,4,8             a list
    --set sender.workers=1..40               a range; 1..40..3 by threes, 10ms..100ms..10ms with a unit
    --set workload.messages=log:10..10000:7  seven values, each the same multiple of the one before
    --set network.rtt=lin:10ms..1s:12        twelve values, evenly spaced
    --set network.jitter=0.0..1.0 --lhs 100  a hundred points of a Latin hypercube (log:0.01..1.0 by its logarithm)

    Between whole numbers all values are whole; 0.0..1.0 draws any.

    Every combination is run, each with as many seeds as --seeds says. Results stand in a database under a key of everything that
    determines a run, so that none is ever computed twice.
    """  # noqa: D301 - click wants the sign itself
    found = sweep.sweep_of(
        scenario, settings, hypercube_points=given["lhs"], seeds=given["seeds"], seed=given["seed"]
    )
    db = given["db"] or Path(f"{scenario.stem}.sweep.db")
    with progress_bar() as progress:
        bar = progress.add_task("runs", total=None)
        swept = sweep.run(
            found,
            db,
            jobs=given["jobs"] or os.cpu_count() or 1,
            dask=given["dask"],
            patience=patience_of(given["patience"]),
            on_progress=lambda done, total: progress.update(bar, completed=done, total=total),
        )
    shown = _metrics(metrics, swept)
    if as_json:
        print_json(swept.rows)
    else:
        print_sweep(swept, shown, console())
    click.echo(
        f"{len(swept.rows):,} rows, {swept.computed:,} of them computed now, kept in {db}", err=True
    )
    _write(swept, shown, csv_file, parquet, out)
    for mistake in swept.mistakes[:10]:
        click.echo(str(mistake), err=True)
    if swept.mistakes:
        return WRONG
    return HOLDS if all(row["passed"] for row in swept.rows) else FAILS


def _metrics(asked: Sequence[str], swept: Swept) -> list[str]:
    known = list(swept.rows[0]) if swept.rows else []
    for name in asked:
        if known and name not in known:
            raise ScenarioError(
                "command line",
                "--metric",
                f'"{name}" is no metric of a result{nearest(name, known)}',
            )
    return list(asked) or list(METRICS)


def _write(
    swept: Swept,
    metrics: Sequence[str],
    csv_file: Path | None,
    parquet: Path | None,
    out: Path | None,
) -> None:
    try:
        if csv_file:
            write_csv(swept.rows, csv_file)
        if parquet:
            write_parquet(swept.rows, parquet)
        if out:
            click.echo(f"{len(write_sweep(swept, metrics, out))} files written to {out}", err=True)
    except OSError as error:
        raise ScenarioError(
            str(error.filename), "", f"cannot be written: {error.strerror or error}"
        ) from None
