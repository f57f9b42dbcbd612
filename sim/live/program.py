"""Any program against a relay that runs: its environment, its end and its patience. Knows nothing
of the command line.

What it prints goes to stderr; stdout is for results. It and all that it starts in its own process
group end with the run.
"""

from __future__ import annotations

import os
import signal
import ssl
import subprocess
import tempfile
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import NamedTuple

from ..errors import ScenarioError
from ..measure.formatting import number
from .running import Running

STDERR = 2
"""The file that the program's stdout becomes."""

ALWAYS = ("SSL_CERT_FILE", "NODE_EXTRA_CA_CERTS")
ADDED = (*ALWAYS, "CURL_CA_BUNDLE")
"""Names of files of trusted certificates: OpenSSL's and Node.js's are always given; curl's own
outranks OpenSSL's where it is set.
"""

GRACE = 3.0
"""Seconds from SIGTERM to SIGKILL."""


class Ended(NamedTuple):
    """How the program ended: ``problem`` says in words what was wrong with it, None where nothing
    was.
    """

    problem: str | None
    in_time: bool


def run_program(
    relay: Running,
    command: Sequence[str],
    patience: float,
    *,
    username: str,
    password: str,
    tls: str,
) -> Ended:
    """Runs ``command`` with ``relay`` in its environment until it ends, at most ``patience``
    seconds.

    ScenarioError where it cannot be started. At a KeyboardInterrupt the program is ended first.
    """
    held: list[subprocess.Popen[bytes]] = []
    with environment(relay, username, password, tls) as names, ThreadPoolExecutor(1) as starter:

        def start() -> None:
            held.append(
                subprocess.Popen(
                    command, env={**os.environ, **names}, stdout=STDERR, start_new_session=True
                )
            )

        try:
            # In another thread, since an exception that a signal raises in this one could come
            # between the program's start and the moment in which anybody knows of it, and leave it
            # behind.
            starter.submit(start).result()
            status = held[0].wait(patience)
        except (OSError, ValueError) as error:  # ValueError: a NUL in it
            problem = f"cannot be run: {getattr(error, 'strerror', None) or error}"
            raise ScenarioError("command line", command[0], problem) from None
        except subprocess.TimeoutExpired:
            return Ended(
                f"the program was still running after {number(patience)} s and was ended",
                in_time=False,
            )
        finally:
            starter.shutdown()
            for process in held:
                _end(process)
    return Ended(_said(status), in_time=True)


@contextmanager
def environment(relay: Running, username: str, password: str, tls: str) -> Iterator[dict[str, str]]:
    """What a program is told: RELAY_* and the common SMTP_* names, and which certificate to trust
    as well.
    """
    own = {"HOST": relay.host, "PORT": str(relay.port), "USERNAME": username, "PASSWORD": password}
    names = {f"{prefix}_{key}": value for prefix in ("RELAY", "SMTP") for key, value in own.items()}
    names |= {"SMTP_USER": username, "SMTP_PASS": password, "RELAY_TLS": tls}
    if relay.certificate is None:
        yield names
        return
    before = {name: os.environ.get(name) for name in ADDED if name in os.environ or name in ALWAYS}
    before["SSL_CERT_FILE"] = ssl.get_default_verify_paths().cafile
    with tempfile.TemporaryDirectory(prefix="relaysim-") as folder:
        trusting = {
            name: str(_beside(trusted, relay.certificate, Path(folder) / f"{name}.pem"))
            for name, trusted in before.items()
        }
        yield names | trusting | {"RELAY_CA": str(relay.certificate)}


def _beside(trusted: str | None, certificate: Path, target: Path) -> Path:
    """A file that trusts ``certificate`` beside all that was trusted before, for a program talks to
    others too.
    """
    before = b""
    if trusted:
        with suppress(OSError):
            before = Path(trusted).read_bytes()
    target.write_bytes(before + b"\n" + certificate.read_bytes())
    return target


def _end(process: subprocess.Popen[bytes]) -> None:
    """Ends what is left of the program's group, politely at first."""
    _signal(process, signal.SIGTERM)
    with suppress(subprocess.TimeoutExpired):
        process.wait(GRACE)
    _signal(process, signal.SIGKILL)
    process.wait()


def _signal(process: subprocess.Popen[bytes], number: int) -> None:
    with suppress(
        ProcessLookupError, PermissionError
    ):  # PermissionError: macOS says so of a group that is gone
        os.killpg(process.pid, number)


def _said(status: int) -> str | None:
    if status < 0:
        return (
            f"the program was ended by signal {-status} ({signal.strsignal(-status) or 'unknown'})"
        )
    return f"the program ended with status {status}" if status else None
