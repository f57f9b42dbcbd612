"""``paced`` as a program over Python's smtplib: threads that share one time of the next login.

The text is a whole module but for where the messages come from. Knows the options of ``paced``,
nothing of a relay.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ... import units

TEXT = '''\
import os
import smtplib
import threading
import time

RELAY, PORT = os.environ.get("RELAY_HOST", "smtp.mailersend.net"), int(os.environ.get("RELAY_PORT", "587"))
ACCOUNTS = [{accounts}]
WORKERS = {workers}
MESSAGES_A_CONNECTION = {size}
BETWEEN_LOGINS_S = {spacing}  # of one username, over all its threads

lock = threading.Lock()
next_login = dict.fromkeys(ACCOUNTS, 0.0)


def wait_for_turn(account):
    with lock:
        turn = max(time.monotonic(), next_login[account])
        next_login[account] = turn + BETWEEN_LOGINS_S
    time.sleep(max(0.0, turn - time.monotonic()))


def work(account, outbox):
    """outbox: a queue.SimpleQueue of EmailMessage, and one None for each worker behind the last of them"""
    ended = False
    while not ended:
        batch = [outbox.get()]
        while batch[-1] is not None and len(batch) < MESSAGES_A_CONNECTION and not outbox.empty():
            batch.append(outbox.get())
        if batch[-1] is None:
            ended = bool(batch.pop() is None)
        while batch:
            wait_for_turn(account)
            try:
                with smtplib.SMTP(RELAY, PORT, timeout=60) as connection:
                    connection.starttls()
                    connection.login(*account)
                    while batch:
                        connection.send_message(batch[0])
                        del batch[0]
            except smtplib.SMTPAuthenticationError:
                raise  # a wrong password does not get right by trying, and each try counts
            except (smtplib.SMTPException, OSError):
                time.sleep(30)  # what was not accepted stays in the batch


def send_all(outbox):
    threads = [threading.Thread(target=work, args=(ACCOUNTS[i % len(ACCOUNTS)], outbox)) for i in range(WORKERS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
'''


def snippet(settings: Mapping[str, Any]) -> str:
    """The program for a plan's settings."""
    options = settings["options"]
    endings = ["", *(f"_{number}" for number in range(2, settings["usernames"] + 1))]
    accounts = ", ".join(
        f'(os.environ["RELAY_USERNAME{end}"], os.environ["RELAY_PASSWORD{end}"])' for end in endings
    )
    return TEXT.format(
        accounts=accounts,
        workers=settings["workers"],
        size=options["size"],
        spacing=units.seconds(units.duration(options["spacing"])),
    )
