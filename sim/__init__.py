"""relaysim: what will the relay do to my sender, before production finds out?

One relay, three doors. The limits and the SMTP session exist once, as pure state machines that are
handed the time; a scenario in virtual time, a live port and production lead to them. A package
imports only from those above it:

    errors units tables streams records    mistakes in words; durations and rates; strict tables;
    named luck; frozen rows limits        one limiter a file, and the block smtp          lines,
    commands, replies, the table of states relay         Policy, Session, Relay: the two meet;
    policies/ holds the numbers measure       recorder, result, statistics, diagnosis strategies
    what a strategy sees; what is shipped scenario      the schema and the loader explain       why
    one request was refused, and what would avoid it world         DOOR: virtual time live
    DOOR: real time, a relay on a port of loopback production    DOOR: a strategy's calls over
    smtplib, threads and a real clock runner        many runs, in child processes where they must be
    pytest_plugin the fixture `relay`: a live relay for one test; installed as relaysim_pytest sweep
    one scenario over many values, resumable, on this machine or a Dask cluster plan
    ceilings in closed form, the search for settings, their proof, snippets check         reads a
    configuration that is there already and says what the relay would do to it report        table,
    figures, CSV, JUnit battery       a strategy against many worlds ui            the dashboard's
    pages, over Streamlit cli           the command line
"""

from .errors import Disconnected, Refused, RelaysimError, ScenarioError, StrategyError

__version__ = "0.1.0"

__all__ = [
    "Disconnected",
    "Refused",
    "RelaysimError",
    "ScenarioError",
    "StrategyError",
    "__version__",
]
