"""The live relay: a policy's limits on a real port of loopback, for any client in any language. It
relays nothing, ever.

In a test, in another thread of the same process::

    import sim.live

    with sim.live.running(policy="mailersend", users={"user1": "secret"}, transcripts=True) as
    relay:
        smtplib.SMTP(relay.host, relay.port)      # or relay.tls_port, with implicit TLS;
        relay.certificate is what to trust ... relay.transcripts()                       #
        [["GREETING 220", "EHLO 250", ...], ...] in the order of the connections
    relay.result().incidents.total                # also while it runs

``policy`` is a shipped policy's name, a table as in a scenario's ``[policy]`` or a Policy;
``network`` and ``faults`` are tables as in a scenario file, by default none; ``scenario`` is a
whole Scenario instead. ``users`` None takes any login. See ``running``. In a loop of one's own:
``door = Door(settings); await door.start(); await door.finished(); await door.stop()``.
"""

from .door import Door
from .running import Running, running, scenario_of
from .settings import Settings, Timeouts, with_port

__all__ = ["Door", "Running", "Settings", "Timeouts", "running", "scenario_of", "with_port"]
