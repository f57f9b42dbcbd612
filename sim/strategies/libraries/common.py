"""Steps that several models share: a command that must be accepted, EHLO with STARTTLS, and a
transaction.

A refusal raises ``Refused`` and a dead connection ``Disconnected``. Each model handles them as its
library does.
"""

from __future__ import annotations

from ..api import Message, Refused
from ..dialogue import Dialogue, LibrarySender, Reply, Say


def taken(reply: Reply) -> Reply:
    """``reply``, if it is not a refusal; else raises Refused."""
    if not reply.ok:
        raise Refused(reply.code, reply.text)
    return reply


def say(dialogue: Dialogue, verb: str, message: Message | None = None) -> Reply:
    """Sends one command and returns its answer. Refused if it is refused, Disconnected if none
    comes.
    """
    return taken(dialogue.say(Say(verb, message))[0])


def hello(sender: LibrarySender, dialogue: Dialogue) -> None:
    """EHLO, and if the scenario has STARTTLS, that and EHLO again. Refused or Disconnected at the
    first that fails.
    """
    say(dialogue, "EHLO")
    if sender.tls == "starttls":
        say(dialogue, "STARTTLS")
        say(dialogue, "EHLO")


def transact(dialogue: Dialogue, message: Message) -> None:
    """MAIL, RCPT, DATA and the body, each after the answer to the one before. Refused or
    Disconnected at the first that fails.
    """
    say(dialogue, "MAIL", message)
    say(dialogue, "RCPT", message)
    say(dialogue, "DATA")
    say(dialogue, "BODY", message)
