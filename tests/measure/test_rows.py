"""The use of each limit over time, compared with a brute-force count of rows that hypothesis draws."""

from __future__ import annotations

from pathlib import Path

from hypothesis import given
from hypothesis import strategies as some

from sim.measure import Recorder, Rows, RunInfo, result_of
from sim.relay.policy_file import load

SECOND = 1_000_000
END = 200 * SECOND
POLICY = load(
    "mailersend",
    {"failed_logins_per_username_ip": {"per": "30s"}, "failed_logins_per_ip": {"per": "45s"}},
    "test",
    Path(),
)
WIDTH = SECOND

moments = some.integers(0, END - 1)
logins = some.lists(
    some.tuples(
        moments,
        some.sampled_from("ab"),
        some.sampled_from("xy"),
        some.sampled_from(["accepted", "failed", "refused"]),
    ),
    max_size=40,
    unique_by=lambda row: row[0],
)
opened = some.lists(some.tuples(moments, some.sampled_from("xy")), max_size=40)


def made(recorder):
    submitted = {str(index): 0 for index in range(5)}
    info = RunInfo("s", "s", POLICY, "x", 1, END, "until")
    return result_of(Rows(recorder, info, submitted, frozenset()).counts(), info).series.in_window


def brute(events, per):
    """The most events of one key in (t - per, t], for the times t of each bin at which the bin or
    an event begins.
    """
    found = []
    for index in range(END // WIDTH):
        start = index * WIDTH
        stop = (index + 1) * WIDTH
        probes = [start - 1] * (index > 0) + [at for at in events if start <= at < stop]
        found.append(max((sum(t - per < at <= t for at in events) for t in probes), default=0))
    return found


def highest(rows, per):
    each = [brute([at for at, key in rows if key == one], per) for one in {key for _, key in rows}]
    return [max(bins) for bins in zip(*each, strict=True)] if each else [0] * (END // WIDTH)


@given(opened)
def test_connections_of_the_busiest_ip(rows):
    recorder = Recorder()
    for number, (at, ip) in enumerate(rows, 1):
        recorder.opened(at, number, ip, None)
    near(made(recorder)["connections_per_ip"], highest(rows, 60 * SECOND))


@given(logins)
def test_logins_and_wrong_passwords(rows):
    recorder = Recorder()
    for at, username, ip, outcome in rows:
        recorder.login(at, 1, ip, username, outcome)
    use = made(recorder)
    near(use["logins_per_username"], highest([(row[0], row[1]) for row in rows], 60 * SECOND))
    near(
        use["failed_logins_per_ip"],
        highest([(row[0], row[2]) for row in rows if row[3] == "failed"], 45 * SECOND),
    )


@given(logins)
def test_consecutive_wrong_passwords_start_at_0_after_a_success(rows):
    recorder = Recorder()
    for at, username, ip, outcome in rows:
        recorder.login(at, 1, ip, username, outcome)
    rounds: dict[tuple[str, str], int] = {}
    kept = []
    for at, username, ip, outcome in sorted(rows):
        rounds[username, ip] = rounds.get((username, ip), 0) + (outcome == "accepted")
        if outcome == "failed":
            kept.append((at, (username, ip, rounds[username, ip])))
    # A success also sets the count to 0 at once, which the brute-force count does not do, so only
    # the rise of each count is compared.
    found = made(recorder)["failed_logins_per_username_ip"]
    expected = highest(kept, 30 * SECOND)
    assert max(found) == max(expected)
    assert all(mine <= brute_force for mine, brute_force in zip(found, expected, strict=True))


def near(found, expected):
    assert found == expected


def test_transactions_count_up_to_the_refused_one_and_end_with_the_connection():
    recorder = Recorder()
    recorder.opened(0, 1, "x", None)
    for index in range(5):
        recorder.accepted(index * SECOND, 1, str(index))
    recorder.incident(5 * SECOND, "transactions_per_connection", 421, "no", "x", "a", 1, "5")
    recorder.closed(5 * SECOND, 1)
    assert made(recorder)["transactions_per_connection"][:8] == [1, 2, 3, 4, 5, 6, 0, 0]


@given(
    some.lists(
        some.tuples(
            some.one_of(moments, some.integers(0, 199).map(lambda bin: bin * WIDTH + WIDTH - 1)),
            some.integers(1, 3),
        ),
        max_size=40,
    )
)
def test_transactions_of_the_busiest_connection(rows):
    recorder = Recorder()
    used: dict[int, int] = {}
    expected = [0] * (END // WIDTH)
    for index, (at, connection) in enumerate(sorted(rows)):
        recorder.accepted(at, connection, str(index % 5))
        used[connection] = used.get(connection, 0) + 1
        for place in (
            at // WIDTH,
            min((at + 1) // WIDTH, len(expected) - 1),
        ):  # a moment lasts a microsecond
            expected[place] = max(expected[place], used[connection])
    assert made(recorder)["transactions_per_connection"] == expected
