"""Runs any program against a live relay: ``run_program``. Knows nothing of the command line.

The program's output goes to stderr, because stdout is for results. The program and all processes
that it starts in its process group end with the run.
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
"""Variables that name files of trusted certificates. OpenSSL's and Node.js's are always set; curl's
own only if it was set before, because curl prefers it to OpenSSL's.
"""

GRACE = 3.0
"""Seconds from SIGTERM to SIGKILL."""


class Ended(NamedTuple):
    """How the program ended. ``problem`` is a sentence about its failure, or None."""

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

    Raises ScenarioError if it cannot be started. On a KeyboardInterrupt the program is ended first.
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
            # In another thread: a signal handler can raise an exception in this one. Between the
            # program's start and the append, that would leave a program that nothing ends.
            starter.submit(start).result()
            status = held[0].wait(patience)
        except (OSError, ValueError) as error:  # ValueError: the command contains a NUL
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
    """The variables for the program: RELAY_*, the common SMTP_* names, and the certificate to
    trust.
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
            name: str(_with_certificate(trusted, relay.certificate, Path(folder) / f"{name}.pem"))
            for name, trusted in before.items()
        }
        yield names | trusting | {"RELAY_CA": str(relay.certificate)}


def _with_certificate(trusted: str | None, certificate: Path, target: Path) -> Path:
    """Writes ``target``, which trusts ``certificate`` and all that ``trusted`` contains: the
    program can connect to other servers too. Returns ``target``.
    """
    before = b""
    if trusted:
        with suppress(OSError):
            before = Path(trusted).read_bytes()
    target.write_bytes(before + b"\n" + certificate.read_bytes())
    return target


def _end(process: subprocess.Popen[bytes]) -> None:
    """Ends all processes that are left in the program's group: first SIGTERM, then SIGKILL."""
    _signal(process, signal.SIGTERM)
    with suppress(subprocess.TimeoutExpired):
        process.wait(GRACE)
    _signal(process, signal.SIGKILL)
    process.wait()


def _signal(process: subprocess.Popen[bytes], number: int) -> None:
    # macOS raises PermissionError for a group that is gone.
    with suppress(ProcessLookupError, PermissionError):
        os.killpg(process.pid, number)


def _said(status: int) -> str | None:
    if status < 0:
        return (
            f"the program was ended by signal {-status} ({signal.strsignal(-status) or 'unknown'})"
        )
    return f"the program ended with status {status}" if status else None
