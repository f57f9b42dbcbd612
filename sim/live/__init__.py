"""DOOR: the live relay. A policy's limits on a real loopback port, for a client in any language.

It accepts messages and never relays them. ``running`` starts it in a thread::

    import sim.live

    with sim.live.running(users={"user1": "secret"}, transcripts=True) as relay:
        with smtplib.SMTP(relay.host, relay.port) as smtp:
            ...
        relay.transcripts()  # [["GREETING 220", "EHLO 250", ...], ...], one list per connection
    relay.result().incidents.total  # also while it runs

In an asyncio loop, use ``LiveRelay``: ``await live.start()``, ``await live.finished()``,
``await live.stop()``.
"""

from .live_relay import LiveRelay
from .running import Running, running, scenario_of
from .settings import Settings, Timeouts, with_port

__all__ = ["LiveRelay", "Running", "Settings", "Timeouts", "running", "scenario_of", "with_port"]
