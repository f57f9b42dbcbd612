"""Steps that several models share: a command that must be accepted, EHLO with STARTTLS, a
transaction.

A refusal raises ``Refused`` and a dead connection ``Disconnected``, as for a strategy. Each model
handles them like its library.
"""

from __future__ import annotations

from ..api import Message, Refused
from ..dialogue import Dialogue, LibrarySender, Reply, Say


def taken(reply: Reply) -> Reply:
    """Returns ``reply``, or raises Refused if it is a refusal."""
    if not reply.ok:
        raise Refused(reply.code, reply.text)
    return reply


def say(dialogue: Dialogue, verb: str, message: Message | None = None) -> Reply:
    """Sends one command and returns its answer. Refused if it is refused, Disconnected if no answer
    comes.
    """
    return taken(dialogue.say(Say(verb, message))[0])


def hello(sender: LibrarySender, dialogue: Dialogue) -> None:
    """Sends EHLO, and in a scenario with STARTTLS also STARTTLS and a second EHLO. Refused or
    Disconnected for the first that fails.
    """
    say(dialogue, "EHLO")
    if sender.tls == "starttls":
        say(dialogue, "STARTTLS")
        say(dialogue, "EHLO")


def transact(dialogue: Dialogue, message: Message) -> None:
    """Sends MAIL, RCPT, DATA and the body, each after the answer to the previous one. Refused or
    Disconnected for the first that fails.
    """
    say(dialogue, "MAIL", message)
    say(dialogue, "RCPT", message)
    say(dialogue, "DATA")
    say(dialogue, "BODY", message)
