"""DOOR: the same strategy in production - smtplib, threads and a real clock, to a real relay.

Gives each worker a sender with the words of ``strategies.api``, so that the function that was simulated is the one that sends.
Each worker is a thread. Knows no limits and no virtual time; what a relay refuses, the strategy is told and nobody else.
"""

from __future__ import annotations

import math
import smtplib
import ssl
import threading
import time
import traceback
from collections import deque
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from types import TracebackType
from typing import Any, Self

from . import streams
from .errors import StrategyError
from .strategies.api import Disconnected, Message, Refused
from .strategies.catalogue import Strategy, described

ID_HEADER = "X-Relaysim-Id"
"""The header by which a message is known on its way; added in front unless the message has it."""


class Stopped(BaseException):
    """Thrown into the other workers' calls when the run is stopped. Not an Exception, so that a strategy does not catch it."""


@dataclass(frozen=True, slots=True)
class Account:
    """How to reach a relay. ``tls`` is starttls, implicit or none; a password goes over the wire in the clear with none alone.

    ``usernames`` are (username, password) pairs; worker i uses pair i mod their number, and likewise of ``ips``, the local
    addresses to send from (empty: the system chooses). ``timeout`` is seconds for any one answer.
    """

    host: str
    port: int
    usernames: Sequence[tuple[str, str]]
    mail_from: str
    tls: str = "starttls"
    ips: Sequence[str] = ()
    timeout: float = 30.0
    name: str = "localhost"
    context: ssl.SSLContext | None = None


@dataclass(slots=True)
class Outcome:
    """What became of a run in production. Ids in order of acceptance, or of submission; ``refusals`` are (seconds, code, text).

    ``ended`` is settled or aborted, ``error`` then says why; ``unsent`` holds every message that was not accepted, so that
    nothing is lost when something breaks.
    """

    submitted: int = 0
    accepted: list[str] = field(default_factory=list)
    duplicated: int = 0
    lost: list[str] = field(default_factory=list)
    waiting: list[str] = field(default_factory=list)
    unsent: list[Message] = field(default_factory=list)
    refusals: list[tuple[float, int, str]] = field(default_factory=list)
    ended: str = "settled"
    error: str | None = None


def send(strategy: Any, messages: Iterable[Message | tuple[str, bytes]], account: Account, *, workers: int = 1,
         options: Mapping[str, object] | None = None, seed: int = 1) -> Outcome:  # fmt: skip
    """Sends ``messages`` with ``strategy`` (a function, a class or a Strategy) in ``workers`` threads; returns when all is settled.

    ``messages`` may come slowly from a generator, which runs in a thread of its own; a (recipient, data) pair gets its place in
    the order as its id. KeyboardInterrupt stops the workers in order and is raised again.
    """
    if account.tls not in ("starttls", "implicit", "none"):
        raise ValueError(f'tls = "{account.tls}": one of starttls, implicit, none is allowed')
    found = strategy if isinstance(strategy, Strategy) else described(strategy)
    run = _Run(account, seed)
    runnable = found.made(options or {})
    feeder = threading.Thread(target=run.feed, args=(messages,), daemon=True)
    feeder.start()
    for index in range(workers):
        sender = ProductionSender(run, f"w{index}", index)
        run.start(sender, lambda sender=sender: runnable(sender))  # type: ignore[misc]
    try:
        run.wait()
    except BaseException as error:
        run.abort(f"{type(error).__name__}")
        run.wait()
        raise
    feeder.join(timeout=0 if run.stopped else None)
    return run.outcome()


class _Run:
    """What the workers share: the outbox, who holds what, and whether the run is stopped. One lock guards it all."""

    def __init__(self, account: Account, seed: int) -> None:
        self.account, self.seed = account, seed
        self.changed = threading.Condition()
        self.begun = time.monotonic()
        self.box: deque[Message] = deque()
        self.known: dict[str, Message] = {}
        self.in_box: set[str] = set()
        self.accepted: dict[str, int] = {}
        self.lost: set[str] = set()
        self.refusals: list[tuple[float, int, str]] = []
        self.fed = self.stopped = False
        self.error: str | None = None
        self.alive: dict[ProductionSender, threading.Thread] = {}
        self.threads: list[threading.Thread] = []

    def feed(self, messages: Iterable[Message | tuple[str, bytes]]) -> None:
        """Puts the workload into the outbox as it comes."""
        try:
            for number, given in enumerate(messages, 1):
                message = given if isinstance(given, Message) else Message(str(number), *given)
                with self.changed:
                    if self.stopped:
                        return
                    if message.id in self.known:
                        raise ValueError(f"two messages have the id {message.id}")
                    self.known[message.id] = message
                    self.box.append(message)
                    self.in_box.add(message.id)
                    self.changed.notify_all()
        except BaseException as error:  # noqa: BLE001 - the person's generator; told, not lost
            self.abort(f"the workload raised {type(error).__name__}: {error}")
        finally:
            with self.changed:
                self.fed = True
                self.changed.notify_all()

    def settled(self) -> bool:
        """Whether nothing more comes and every message is accepted or lost. Holds the lock."""
        return self.fed and len(self.accepted) + len(self.lost) == len(self.known)  # no message is in both

    def start(self, sender: ProductionSender, work: Callable[[], object]) -> None:
        """Starts a worker."""
        thread = threading.Thread(target=self._work, args=(sender, work), daemon=True)
        with self.changed:
            self.alive[sender] = thread
            self.threads.append(thread)
        thread.start()

    def _work(self, sender: ProductionSender, work: Callable[[], object]) -> None:
        try:
            work()
        except (Refused, Disconnected, Stopped):
            pass
        except BaseException as error:  # noqa: BLE001 - whatever a strategy throws stops the run, and is told
            self.abort("".join(traceback.format_exception(error)))
        finally:
            with self.changed:
                if not self.stopped:
                    self.give_up(sender)
                del self.alive[sender]
                self.changed.notify_all()

    def give_up(self, sender: ProductionSender) -> None:
        """What the sender holds, neither accepted nor put back, is lost. Holds the lock."""
        self.lost.update(id for id in sender.held if id not in self.accepted and id not in self.in_box)
        sender.held.clear()
        if self.settled():
            self.changed.notify_all()

    def abort(self, error: str) -> None:
        """Stops every worker at its next call."""
        with self.changed:
            self.stopped, self.error = True, self.error or error
            self.changed.notify_all()

    def wait(self) -> None:
        """Until all workers have ended, and the workload too unless the run is stopped."""
        with self.changed:
            while self.alive or not (self.fed or self.stopped):
                self.changed.wait(0.2)  # short, so that Ctrl-C is heard
        for thread in self.threads:
            thread.join()

    def outcome(self) -> Outcome:
        """What became of it all."""
        unsent = [message for id, message in self.known.items() if id not in self.accepted]
        lost = [message.id for message in unsent if message.id in self.lost or not self.stopped]
        waiting = [message.id for message in unsent if message.id not in self.lost and self.stopped]
        duplicated = sum(self.accepted.values()) - len(self.accepted)
        ended = "aborted" if self.stopped else "settled"
        return Outcome(len(self.known), list(self.accepted), duplicated, lost, waiting, unsent, self.refusals, ended, self.error)


class ProductionSender:
    """Implements ``api.Sender`` for one thread."""

    def __init__(self, run: _Run, name: str, index: int) -> None:
        account = run.account
        self.username, self.password = account.usernames[index % len(account.usernames)]
        self.ip = account.ips[index % len(account.ips)] if account.ips else ""
        self._run, self._name, self._index, self._spawned = run, name, index, 0
        self._random = streams.uniforms(run.seed, "strategy", name)
        self.held: set[str] = set()

    def take(self, most: int = 1) -> list[Message]:
        """As in api.Sender."""
        if not isinstance(most, int) or isinstance(most, bool) or most < 1:
            raise StrategyError(f"take({most!r}): a whole number of at least 1 is allowed")
        run = self._run
        with run.changed:
            run.give_up(self)
            while not run.box and not run.settled() and not run.stopped:
                run.changed.wait()
            self._check()
            batch = [run.box.popleft() for _ in range(min(most, len(run.box)))]
            self.held = {message.id for message in batch}
            run.in_box -= self.held
            return batch

    def put_back(self, message: Message) -> None:
        """As in api.Sender."""
        run = self._run
        with run.changed:
            self._check()
            if message.id not in run.known or message.id in run.in_box:
                raise StrategyError(f"put back message {message.id}, which is in the outbox already or never came from it")
            self.held.discard(message.id)
            run.lost.discard(message.id)
            run.in_box.add(message.id)
            run.box.appendleft(message)
            run.changed.notify_all()

    def connect(self) -> ProductionConnection:
        """As in api.Sender."""
        self._check()
        return ProductionConnection(self._run, self)

    def sleep(self, seconds: float) -> None:
        """As in api.Sender."""
        if isinstance(seconds, bool) or not 0 <= float(seconds) < math.inf:
            raise StrategyError(f"sleep({seconds!r}): a finite number of seconds of 0 or more is allowed")
        end = time.monotonic() + float(seconds)
        with self._run.changed:
            while not self._run.stopped and (left := end - time.monotonic()) > 0:
                self._run.changed.wait(left)
        self._check()

    def now(self) -> float:
        """As in api.Sender."""
        self._check()
        return time.monotonic() - self._run.begun

    def random(self) -> float:
        """As in api.Sender."""
        return self._random()

    def spawn(self, function: Callable[..., Any], *args: Any) -> None:
        """As in api.Sender."""
        self._check()
        self._spawned += 1
        child = ProductionSender(self._run, f"{self._name}.{self._spawned}", self._index)
        for arg in args:
            for message in arg if isinstance(arg, list | tuple) and not isinstance(arg, Message) else [arg]:
                if isinstance(message, Message) and message.id in self.held:
                    self.held.discard(message.id)
                    child.held.add(message.id)
        self._run.start(child, lambda: function(child, *args))

    def _check(self) -> None:
        if self._run.stopped:
            raise Stopped


class ProductionConnection:
    """Implements ``api.Connection`` over smtplib. AUTH PLAIN with its initial response, or LOGIN where PLAIN is not offered, once."""

    def __init__(self, run: _Run, sender: ProductionSender) -> None:
        self._run = run
        self._smtp: smtplib.SMTP | None = None
        account = run.account
        source = (sender.ip, 0) if sender.ip else None
        context = account.context or (ssl.create_default_context() if account.tls != "none" else None)
        try:
            kind = smtplib.SMTP_SSL if account.tls == "implicit" else smtplib.SMTP
            secure = {"context": context} if account.tls == "implicit" else {}
            smtp: smtplib.SMTP = kind(
                account.host, account.port, local_hostname=account.name, timeout=account.timeout, source_address=source, **secure
            )
            self._smtp = smtp
            self._answered(smtp.ehlo())
            if account.tls == "starttls":
                smtp.starttls(context=context)
                self._answered(smtp.ehlo())
            self._log_in(smtp, sender)
        except (Refused, Disconnected):
            self._hang_up()
            raise
        except smtplib.SMTPResponseException as error:
            self._hang_up()
            raise self._refused(error.smtp_code, error.smtp_error) from None
        except (OSError, smtplib.SMTPException) as error:
            self._hang_up()
            raise Disconnected(str(error) or type(error).__name__) from None

    def send(self, message: Message) -> None:
        """As in api.Connection."""
        self._run_check()
        smtp = self._smtp
        if smtp is None:
            raise Disconnected("the connection is closed")
        try:
            self._answered(smtp.mail(self._run.account.mail_from))
            self._answered(smtp.rcpt(message.recipient), reset=True)
            self._data(smtp, message)
        except smtplib.SMTPDataError as error:
            raise self._refused_open(smtp, error.smtp_code, error.smtp_error, reset=True) from None
        except (OSError, smtplib.SMTPException) as error:
            self._hang_up()
            raise Disconnected(str(error) or type(error).__name__) from None
        with self._run.changed:
            self._run.lost.discard(message.id)
            self._run.accepted[message.id] = self._run.accepted.get(message.id, 0) + 1
            self._run.changed.notify_all()

    def close(self) -> None:
        """As in api.Connection."""
        if self._smtp is not None:
            try:
                self._smtp.docmd("QUIT")
            except (OSError, smtplib.SMTPException):
                pass
            self._hang_up()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.close()

    def _data(self, smtp: smtplib.SMTP, message: Message) -> None:
        known = message.data[:4096].lower().startswith(ID_HEADER.lower().encode() + b":")
        data = message.data if known else f"{ID_HEADER}: {message.id}\r\n".encode() + message.data
        code, text = smtp.data(data)
        if code >= 400:
            raise self._refused_open(smtp, code, text, reset=False)

    def _log_in(self, smtp: smtplib.SMTP, sender: ProductionSender) -> None:
        smtp.user, smtp.password = sender.username, sender.password
        offered = smtp.esmtp_features.get("auth", "").upper().split()
        if "PLAIN" in offered or "LOGIN" not in offered:
            smtp.auth("PLAIN", smtp.auth_plain, initial_response_ok=True)
        else:
            smtp.auth("LOGIN", smtp.auth_login, initial_response_ok=True)

    def _answered(self, answer: tuple[int, bytes], *, reset: bool = False) -> None:
        code, text = answer
        if code >= 400:
            assert self._smtp is not None, "an answer came from a connection"
            raise self._refused_open(self._smtp, code, text, reset=reset)

    def _refused_open(self, smtp: smtplib.SMTP, code: int, text: bytes | str, *, reset: bool) -> Refused:
        """A refusal after which the connection can go on, unless it was a 421: then it is closed."""
        if code == 421:
            self._hang_up()
        elif reset:
            try:
                smtp.docmd("RSET")
            except (OSError, smtplib.SMTPException):
                self._hang_up()
        return self._refused(code, text)

    def _refused(self, code: int, text: bytes | str) -> Refused:
        said = text.decode("utf-8", "replace") if isinstance(text, bytes) else text
        with self._run.changed:
            self._run.refusals.append((time.monotonic() - self._run.begun, code, said))
        return Refused(code, said)

    def _run_check(self) -> None:
        if self._run.stopped:
            raise Stopped

    def _hang_up(self) -> None:
        if self._smtp is not None:
            self._smtp.close()
            self._smtp = None
