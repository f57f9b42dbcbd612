"""The pytest plugin of relaysim: the fixture ``relay``, a live relay for one test.

    def test_my_sender_meets_no_limit(relay):
        send_newsletter(relay.host, relay.port, relay.username, relay.password)
        assert relay.result.incidents.total == 0

    @pytest.mark.relay(set=["policy.transactions_per_connection=2"], tls="none")
    def test_my_sender_continues_after_a_421(relay):
        relay.refuse_next_login()
        ...

Installed as ``relaysim_pytest``, so that pytest finds it whatever the folder is that somebody calls
pytest in (one with a folder named sim of its own, say), and it imports nothing of the package
before a test asks for the fixture.
"""

from __future__ import annotations

from collections.abc import Generator, Iterator
from contextlib import ExitStack
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from sim.live.fixture import RelayFixture

MARKER = (
    "relay(policy, set, scenario, network, faults, expect, users, tls, ...): how the fixture "
    "`relay` is set up. policy is a "
    "shipped policy or a table, set a list of KEY=VALUE, scenario a file relative to the "
    "test's; the others as in sim.live.running."
)


def pytest_configure(config: pytest.Config) -> None:
    """Tells of the marker, for --strict-markers and --markers."""
    config.addinivalue_line("markers", MARKER)


@pytest.fixture
def relay(request: pytest.FixtureRequest) -> Iterator[RelayFixture]:
    """A live relay with MailerSend's limits on a free port of loopback, for this test alone; see
    `pytest --markers`.
    """
    with ExitStack() as stack:
        found = _opened(request, stack)
        yield found
        if not found.result.passed:
            pytest.fail(f"the relay's expectations do not hold\n{found.explained()}", pytrace=False)


def _opened(request: pytest.FixtureRequest, stack: ExitStack) -> RelayFixture:
    from sim.errors import ScenarioError
    from sim.live.fixture import opened

    marks = [(mark.args, mark.kwargs) for mark in request.node.iter_markers("relay")]
    try:
        return stack.enter_context(opened(marks, request.path.parent))
    except ScenarioError as error:
        said = str(error)
    pytest.fail(
        said, pytrace=False
    )  # out here, so that pytest does not tell it twice, as an error that led to another


# Old in style, since whoever has this installed may use a pytest that does not know the new one.
@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Generator[None, Any, None]:
    """A test that failed shows what its relay has to say."""
    outcome = yield
    report = outcome.get_result()
    found = getattr(item, "funcargs", {}).get("relay")
    ours: Any = found if type(found).__module__ == "sim.live.fixture" else None
    if ours and report.when == "call" and report.failed and (said := ours.explained()):
        report.sections.append(("relay", said))
