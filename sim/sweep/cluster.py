"""A sweep on a Dask cluster: the same lots, handed to its workers; rows come back and are written
here. Needs the extra ``dask``.

A worker that dies in the middle has its lots given to another by Dask. Knows nothing of scenarios.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from ..errors import ScenarioError
from .store import Store
from .work import Done, Lot, run_lot

SECONDS_TO_ANSWER = 10


def run_on_dask(
    lots: Sequence[Lot], address: str, store: Store, keep: Callable[[Done], None]
) -> None:
    """Runs the lots on the cluster at ``address``, such as tcp://10.0.0.5:8786; ``keep`` is told of
    each as it comes.
    """
    try:
        from distributed import Client, as_completed
    except ImportError:
        raise ScenarioError(
            "command line", "--dask", 'needs an extra; pip install "relaysim[dask]"'
        ) from None
    try:
        client = Client(address, timeout=SECONDS_TO_ANSWER, set_as_default=False)  # type: ignore[no-untyped-call]
    except (OSError, ValueError) as error:
        raise ScenarioError(
            "command line", "--dask", f"no cluster answers at {address}: {error}"
        ) from None
    with client, client.as_current():
        futures = [
            client.submit(run_lot, lot, key=f"relaysim-{lot.tasks[0].key}", pure=True)
            for lot in lots
        ]
        for future in as_completed(futures):  # type: ignore[no-untyped-call]
            done = future.result()
            store.keep(done.rows)
            keep(done)
            future.release()
