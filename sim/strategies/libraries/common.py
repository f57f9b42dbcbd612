"""What several models share: one command that must be taken, the greeting, EHLO and STARTTLS, one
transaction.

A refusal becomes ``Refused`` and a dead connection ``Disconnected``, as they are to a strategy;
what its library does then is each model's own. Knows no library.
"""

from __future__ import annotations

from ..api import Message, Refused
from ..dialogue import Dialogue, LibrarySender, Reply, Say


def taken(reply: Reply) -> Reply:
    """``reply`` itself; Refused if it is a refusal."""
    if not reply.ok:
        raise Refused(reply.code, reply.text)
    return reply


def say(dialogue: Dialogue, verb: str, message: Message | None = None) -> Reply:
    """One command by itself and its answer; Refused if it is not taken, Disconnected if none comes."""
    return taken(dialogue.say(Say(verb, message))[0])


def hello(sender: LibrarySender, dialogue: Dialogue) -> None:
    """EHLO, and where the scenario has STARTTLS that and EHLO again; Refused or Disconnected at the
    first that fails.
    """
    say(dialogue, "EHLO")
    if sender.tls == "starttls":
        say(dialogue, "STARTTLS")
        say(dialogue, "EHLO")


def transact(dialogue: Dialogue, message: Message) -> None:
    """MAIL, RCPT, DATA and the body, each after the answer to the one before; Refused or
    Disconnected at the first that fails.
    """
    say(dialogue, "MAIL", message)
    say(dialogue, "RCPT", message)
    say(dialogue, "DATA")
    say(dialogue, "BODY", message)
