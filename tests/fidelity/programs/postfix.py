"""Sends messages 1..N through a Postfix of its own: a folder, a queue and a log that nobody else
has, started and stopped here.

Nothing of the system's instance is read or touched. Options are parameters of main.cf. Needs root,
as Postfix does.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any

MAIN = """\
compatibility_level = 3.6
queue_directory = {folder}/queue
data_directory = {folder}/data
maillog_file_prefixes = {folder}
maillog_file = {folder}/log
mail_owner = postfix
setgid_group = postdrop
myhostname = sender.example.com
mydestination =
local_transport = error:no local mail
alias_maps =
inet_interfaces = loopback-only
inet_protocols = ipv4
"""

RELAY = """\
relayhost = [{host}]:{port}
smtp_sasl_auth_enable = yes
smtp_sasl_password_maps = inline:{{ {{ [{host}]:{port} = {username}:{password} }} }}
smtp_sasl_security_options = noanonymous
smtp_tls_security_level = {level}
smtp_tls_wrappermode = {wrapped}
smtp_tls_CAfile = {authority}
"""

MASTER = """\
postlog   unix-dgram n  -  n  -  1  postlogd
pickup    unix  n       -  n  60 1  pickup
cleanup   unix  n       -  n  -  0  cleanup
qmgr      unix  n       -  n  300 1 qmgr
tlsmgr    unix  -       -  n  1000? 1 tlsmgr
rewrite   unix  -       -  n  -  -  trivial-rewrite
bounce    unix  -       -  n  -  0  bounce
defer     unix  -       -  n  -  0  bounce
trace     unix  -       -  n  -  0  bounce
tlsproxy  unix  -       -  n  -  0  tlsproxy
smtp      unix  -       -  n  -  -  smtp
showq     unix  n       -  n  -  -  showq
error     unix  -       -  n  -  -  error
retry     unix  -       -  n  -  -  error
scache    unix  -       -  n  -  1  scache
"""

UNTRIED = ("maildrop", "incoming", "active")
UNSETTLED = (*UNTRIED, "deferred")
LONG = 600.0
"""Seconds that no machine needs for what a row has."""
CONNECTION_KEPT = 3.0
"""Seconds after which it has closed a connection that it kept: its own default is 2."""
MESSAGE = "X-Relaysim-Id: {id}\nFrom: sender@example.com\nTo: m{id}@example.com\nSubject: a message\n\nAs short as can be.\n"


def main() -> None:
    """One run, and what came of it."""
    given = json.loads(sys.argv[1])
    with instance(settings(given["options"])) as folder:
        log = send(folder, given["messages"], given.get("seconds", 60))
    reasons = re.findall(r"status=(?:deferred|bounced) \((.*)\)", log)
    print(
        json.dumps(
            {
                "version": version(),
                "failed": re.findall(r"to=<m(\d+)@example.com>.*status=bounced", log),
                "errors": {reason: reasons.count(reason) for reason in reasons},
            }
        )
    )


def settings(options: dict[str, Any]) -> str:
    """What main.cf says of the relay, and the row's own parameters."""
    tls = os.environ["RELAY_TLS"]
    words = {
        "host": os.environ["RELAY_HOST"],
        "port": os.environ["RELAY_PORT"],
        "username": os.environ["RELAY_USERNAME"],
        "password": os.environ["RELAY_PASSWORD"],
        "authority": os.environ.get("RELAY_CA", ""),
        "level": "none" if tls == "none" else "encrypt",
        "wrapped": "yes" if tls == "implicit" else "no",
    }
    said = {
        key: ("no", "yes")[value] if isinstance(value, bool) else value
        for key, value in options.items()
    }
    return RELAY.format(**words) + "".join(f"{key} = {value}\n" for key, value in said.items())


@contextmanager
def instance(more: str) -> Iterator[Path]:
    """A folder with main.cf, which also says ``more``, and master.cf; gone afterwards."""
    folder = Path(tempfile.mkdtemp(prefix="relaysim-postfix-"))
    try:
        folder.chmod(0o755)  # Postfix's own user must pass through
        (folder / "main.cf").write_text(MAIN.format(folder=folder) + more)
        (folder / "master.cf").write_text(MASTER)
        (folder / "queue").mkdir()
        (folder / "data").mkdir()
        shutil.chown(folder / "data", "postfix")
        command("postfix", folder, "check")
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def send(folder: Path, messages: int, seconds: float) -> str:
    """Queues all messages while it is down, starts it, waits until all are settled or ``seconds``
    are over; the log.

    What is tried for the first time when they are over may come to its end, however slow the
    machine is.
    """
    queue_messages(folder, messages)
    command("postfix", folder, "start")
    try:
        if not settled(folder, UNSETTLED, seconds) and not settled(folder, UNTRIED, 0):
            settled(folder, UNTRIED, LONG)
            time.sleep(CONNECTION_KEPT)
    finally:
        command("postfix", folder, "stop", check=False)
    return (folder / "log").read_text()


def queue_messages(folder: Path, messages: int) -> None:
    """Puts them where Postfix picks them up once it runs; from nobody, so that a bounce is no
    further message.
    """

    def one(number: int) -> None:
        command(
            "sendmail", folder, "-f", "", f"m{number}@example.com", text=MESSAGE.format(id=number)
        )

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(one, range(1, messages + 1)))


def command(name: str, folder: Path, *arguments: str, text: str = "", check: bool = True) -> None:
    """One of Postfix's commands on this instance."""
    option = "-C" if name == "sendmail" else "-c"
    done = subprocess.run(
        [f"/usr/sbin/{name}", option, str(folder), *arguments],
        input=text,
        capture_output=True,
        text=True,
        timeout=600,
        check=False,
    )
    if check and done.returncode:
        sys.exit(f"{name} {' '.join(arguments)}: {done.stdout}{done.stderr}")


def settled(folder: Path, queues: Sequence[str], seconds: float) -> bool:
    """Waits until no message is in these of its queues; False when ``seconds`` are over. A message
    may move while one looks.
    """
    end = time.monotonic() + seconds
    looks = 0
    while looks < 2:
        there = any(
            path.is_file() for name in queues for path in (folder / "queue" / name).rglob("*")
        )
        if there and time.monotonic() >= end:
            return False
        looks = 0 if there else looks + 1
        time.sleep(0.05)
    return True


def version() -> str:
    """Postfix's own word for it."""
    return subprocess.run(
        ["/usr/sbin/postconf", "-dh", "mail_version"], capture_output=True, text=True, check=True
    ).stdout.strip()


if __name__ == "__main__":
    main()
