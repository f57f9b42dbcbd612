"""relaysim: what will the relay do to my sender, before production finds out?

One relay, three doors. The limits and the SMTP session exist once, as pure state machines that are
given the time as an argument; a scenario in virtual time, a live port and production lead to them.
A package imports only from packages above it in this list:

    errors units tables streams records   user mistakes; durations and rates; named random streams
    limits      one rate limiter per file, and the block
    smtp        lines, commands, replies, the table of session states
    relay       Policy, Session, Relay; policies/ holds the numbers of each relay
    measure     recorder, result, statistics, diagnosis
    strategies  the strategy API, the shipped strategies, the models of mail libraries
    outbox      which messages wait, are held, accepted or lost; for world and production
    scenario    the scenario file: schema and loader
    explain     why one request was refused, and which change avoids it
    world       DOOR: virtual time
    live        DOOR: real time, a relay on a loopback port
    production  DOOR: a strategy over smtplib, threads and a real clock
    runner      runs in child processes
    pytest_plugin  the fixture `relay`, installed as relaysim_pytest
    sweep       one scenario over a grid of values, resumable, also on a Dask cluster
    plan        ceilings in closed form, the search for settings, their proof
    check       reads a configuration file and reports what the relay would do to it
    report      table, figures, CSV, JUnit
    battery     a strategy in many worlds (`relaysim validate`)
    ui          the dashboard, with Streamlit
    cli         the command line
    public      installed as `relaysim`: the names that users import
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
