"""A relay without limits and without jitter is a queue with constant service, whose mean wait has
been known since 1932.

Poisson arrivals at c workers with one kept connection each are M/D/c. For one worker the mean wait
is Pollaczek's closed form; for several it is solved from Crommelin's embedded chain (C. D.
Crommelin, "Delay probability formulae when the holding times are constant", 1932; H. C. Tijms, "A
First Course in Stochastic Models", 2003, section 9.6.2): whoever is in service now has left one
service time D later, so the numbers in the system at t and t + D obey N' = max(N - c, 0) +
Poisson(arrivals during D).
"""

from __future__ import annotations

from math import exp, sqrt
from statistics import fmean, stdev

import numpy as np
import pytest

from tests.world.worlds import acceptances, world

SERVICE = 0.16
"""Seconds that a worker is busy with a message: four round trips of 40 ms."""

TO_BODY = 0.14
"""Seconds from its first command to the arrival of its body, where latency ends."""

REPLICATIONS = 40
T_99 = 2.708
"""Student's t, two-sided 99%, 39 degrees of freedom (any printed table)."""

MESSAGES = 4_000
WARM_UP = 1_000


def mean_wait(servers: int, load: float, service: float) -> float:
    """Seconds that a message waits for one of ``servers`` on average, by Crommelin's chain,
    truncated where nothing is left.
    """
    mean = load * servers
    most = 600
    poisson = np.empty(most)
    poisson[0] = exp(-mean)
    for k in range(1, most):
        poisson[k] = poisson[k - 1] * mean / k
    chances = np.zeros(most)
    chances[0] = 1.0
    for _ in range(20_000):
        left = np.concatenate([[chances[: servers + 1].sum()], chances[servers + 1 :]])
        after = np.convolve(left, poisson)[:most]
        after /= after.sum()
        if np.abs(after - chances).max() < 1e-13:
            break
        chances = after
    waiting = sum(chance * max(0, k - servers) for k, chance in enumerate(chances))
    return float(waiting) / (mean / service)  # Little


@pytest.mark.parametrize("load", [0.3, 0.7, 0.9])
def test_the_chain_of_one_server_is_pollaczeks_closed_form(load):
    assert mean_wait(1, load, SERVICE) == pytest.approx(load * SERVICE / (2 * (1 - load)), rel=1e-6)


def test_two_servers_wait_less_than_one_of_the_same_load_and_more_than_half_of_one_twice_as_fast():
    for load in (0.3, 0.7, 0.9):
        assert mean_wait(2, load, SERVICE) < mean_wait(1, load, SERVICE)
        assert mean_wait(2, load, SERVICE) < mean_wait(
            1, load, SERVICE / 2
        )  # one fast server queues what two would serve


def replication(servers: int, load: float, seed: int) -> float:
    """The mean wait of one run, in seconds, behind its warm-up."""
    rate = load * servers / SERVICE
    made, _ = world(
        seed=seed,
        workload={"kind": "poisson", "rate": f"{rate:.12f}/s", "for": MESSAGES / rate},
        sender={"strategy": "one-connection", "workers": servers},
    )
    arrivals = made.outbox.arrivals
    waits = {number: at - arrivals[number - 1] for at, _, number in acceptances(made)}
    return fmean(waits[number] for number in range(WARM_UP, len(arrivals) + 1)) / 1e6 - TO_BODY


@pytest.mark.parametrize("servers", [1, 2, 4])
@pytest.mark.parametrize("load", [0.3, 0.7, 0.9])
def test_the_mean_wait_is_the_theorys_within_the_99_percent_interval_of_the_replications(
    servers, load
):
    first = 10_000 * servers + round(1_000 * load)  # no two cases share their luck
    waits = [replication(servers, load, first + number) for number in range(REPLICATIONS)]
    half = T_99 * stdev(waits) / sqrt(REPLICATIONS)
    assert abs(fmean(waits) - mean_wait(servers, load, SERVICE)) <= half
    assert half < 0.2 * mean_wait(
        servers, load, SERVICE
    )  # an interval that holds everything would prove nothing
