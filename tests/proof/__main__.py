"""``make proof``: checks every demand, writes ``table.md`` beside this file, and fails where a
promise does not hold.
"""

from __future__ import annotations

import os
import sys
from concurrent.futures import ProcessPoolExecutor
from dataclasses import replace
from pathlib import Path

from sim.measure.formatting import plural
from sim.plan import Demand

from .check import FRESH, Checked, check, same_share
from .demands import CASES

TABLE = Path(__file__).parent / "table.md"
PROMISED = 0.9
RANGE = 0.95
"""The share of replays that must meet a demand, and the share that must lie in the predicted
ranges.
"""

HEAD = """\
# Forty demands, planned and replayed

Made by `make proof`; every plan is for round trips of 40 ms with a jitter of 0.1 and promises that its demand is met in at least
90% of the runs. *met*: of {fresh} replays with fresh seeds. *in range*: replays whose messages a minute, last acceptance and p99 lie
in the range that the plan predicted. *cheaper*: settings with fewer usernames, IPs or connections at once that were tried, of which
none does it. An impossible demand must be refused for the limit that was reckoned by hand.

| | demand | for | most there is | answer | met | in range | cheaper |
| --- | --- | --- | --- | --- | --- | --- | --- |
"""


def row(number: int, one: Checked) -> str:
    """One line of the table."""
    most = one.case.resources
    case = one.case
    settings = one.plan.settings
    cells = [
        f"{number} {case.kind}",
        one.plan.demand.asked,
        case.strategy,
        has(most.workers, most.usernames, most.ips),
    ]
    if settings is None:
        cells += [f"impossible: `{one.plan.binding}`", "-", "-", "-"]
    else:
        options = ", ".join(f"{name} {value}" for name, value in settings["options"].items())
        who = has(settings["workers"], settings["usernames"], settings["ips"])
        cells += [
            f"{who}: {options}",
            str(one.met),
            ", ".join(map(str, one.inside)),
            str(one.tried),
        ]
    return f"| {' | '.join(cells)} |"


def has(workers: int, usernames: int, ips: int) -> str:
    """Who sends, in words."""
    return f"{plural(workers, 'worker')}, {plural(usernames, 'username')}, {plural(ips, 'IP')}"


def check_number(number: int) -> Checked:
    """Checks the demand of that place; only what can be handed to another process goes to it and
    back.
    """
    checked = check(CASES[number])
    return replace(checked, case=replace(checked.case, demand=_gone))


def _gone() -> Demand:
    raise AssertionError("the demand is in the plan")


def main() -> int:
    """Status 1 where a promise does not hold."""
    with ProcessPoolExecutor(os.cpu_count()) as pool:
        checked = []
        for number, one in enumerate(pool.map(check_number, range(len(CASES))), 1):
            checked.append(one)
            print(
                f"{number:2} {one.plan.demand.asked}: {'; '.join(one.wrong) or 'holds'}", flush=True
            )
    shares = same_share(checked)
    told = ", ".join(f"{share:.1%}" for share in shares)
    lines = [row(number, one) for number, one in enumerate(checked, 1)]
    TABLE.write_text(
        HEAD.format(fresh=FRESH) + "\n".join(lines) + f"\n\nIn range, of all replays: {told}.\n",
        encoding="utf-8",
    )
    wrong = [f"{one.plan.demand.asked}: {said}" for one in checked for said in one.wrong]
    wrong += (
        [f"only {told} of the replays lie in the predicted ranges"] if min(shares) < RANGE else []
    )
    print("\n".join(wrong) or f"all {len(checked)} hold; in range {told}")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
