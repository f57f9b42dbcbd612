"""Finds a strategy by its shipped name or ``path/to/file.py:name``, checks its options and makes it
ready to run.

Knows what a strategy looks like, not what it does. Loading a person's file executes it: whoever
must not be harmed by that loads it in a child process.
"""

from __future__ import annotations

import inspect
import sys
import traceback
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import Any

from .. import units
from ..errors import ScenarioError, nearest
from ..text import raised, shown
from . import adaptive, batches, connection_per_message, one_connection, paced, retry
from .api import Sender
from .libraries import (
    aiosmtplib,
    django,
    jakarta_mail,
    listmonk,
    nodemailer,
    phpmailer,
    postfix,
    smtplib,
    symfony_mailer,
    wp_mail_smtp,
)

Runnable = Callable[[Sender], object]
"""What a worker is: called once with its sender."""

SHIPPED: dict[str, Any] = {
    "connection-per-message": connection_per_message.connection_per_message,
    "one-connection": one_connection.one_connection,
    "batches": batches.Batches,
    "paced": paced.Paced,
    "retry": retry.Retry,
    "adaptive": adaptive.Adaptive,
    "nodemailer": nodemailer.Nodemailer,
    "phpmailer": phpmailer.PHPMailer,
    "symfony-mailer": symfony_mailer.SymfonyMailer,
    "wp-mail-smtp": wp_mail_smtp.WordPress,
    "postfix": postfix.Postfix,
    "listmonk": listmonk.Listmonk,
    "smtplib": smtplib.SmtpLib,
    "django": django.Django,
    "jakarta-mail": jakarta_mail.Jakarta,
    "aiosmtplib": aiosmtplib.AioSmtpLib,
}
"""The strategies that come with the package, by the name in ``sender.strategy``."""


@dataclass(frozen=True, slots=True)
class Strategy:
    """A strategy that was found, with its options as declared. ``made`` gives the function that
    each worker calls.
    """

    name: str
    found: Any
    options: Mapping[str, object]
    about: str

    @property
    def library(self) -> str | None:
        """The mail library that this is a model of, by its own name; None for a strategy that can
        send for real.
        """
        return getattr(self.found, "library", None)

    @property
    def explained(self) -> Mapping[str, str]:
        """A sentence for an option, by its name; a strategy may leave any of them out."""
        return getattr(self.found, "explained", {})

    def made(self, options: Mapping[str, object]) -> Runnable:
        """One function for all workers of one run; a class is made once, so that its attributes are
        shared.
        """
        if inspect.isclass(self.found):
            made: Any = self.found(**{**self.options, **options})
            run: Runnable = made.run
            return run
        function: Runnable = self.found
        return function


def is_path(name: str) -> bool:
    """Whether ``name`` means a person's file rather than a shipped strategy."""
    return ".py" in name or "/" in name


def shipped(name: str) -> Strategy:
    """A shipped strategy; ValueError in words if there is none of that name."""
    if name not in SHIPPED:
        close = nearest(name, SHIPPED)
        raise ValueError(
            f"{shown(name)} is no shipped strategy; allowed: {', '.join(SHIPPED)}, or path/to/file.py:name{close}"
        )
    return described(SHIPPED[name], name)


def split(name: str, folder: Path) -> tuple[Path, str]:
    """The file and the name in it of ``path/to/file.py:name``; ValueError in words if there is no
    such file.
    """
    path, colon, wanted = name.rpartition(":")
    if not colon or not wanted.isidentifier():
        raise ValueError(f"{shown(name)} names no strategy in the file; write path/to/file.py:name")
    file = folder / path
    if not file.is_file():
        raise ValueError(f"{shown(path)} is not a file; a path is relative to the scenario file")
    return file, wanted


def load(file: Path, wanted: str) -> Strategy:
    """Executes ``file`` and finds the strategy ``wanted`` in it; ValueError in words for anything
    wrong with either.

    The file is executed afresh at every call, so that one run leaves nothing behind for the next.
    """
    module = _execute(file)
    if not hasattr(module, wanted):
        names = [
            name
            for name, value in vars(module).items()
            if _kind(value) == "" and not name.startswith("_")
        ]
        raise ValueError(
            f"{file.name} has no {wanted}{nearest(wanted, names)}; strategies in it: {', '.join(names) or 'none'}"
        )
    found = getattr(module, wanted)
    wrong = _kind(found)
    if wrong:
        raise ValueError(f"{file.name}:{wanted} {wrong}")
    return described(found, f"{file.name}:{wanted}")


def check_options(
    strategy: Strategy, given: Mapping[str, object], place: str, key: str = "sender.options"
) -> None:
    """ScenarioError if ``given`` has an option that the strategy does not declare, or one of
    another type than its default.
    """
    bad: list[ScenarioError] = []
    for name, value in given.items():
        if name not in strategy.options:
            bad.append(ScenarioError(place, f"{key}.{name}", _unknown(strategy, name, value)))
        elif problem := _mistyped(strategy.options[name], value):
            bad.append(ScenarioError(place, f"{key}.{name}", problem))
    if not bad and given:
        bad.extend(_refused_by_strategy(strategy, given, place, key))
    if bad:
        raise ScenarioError.joined(bad)


def _unknown(strategy: Strategy, name: str, value: object) -> str:
    """What is wrong with an option that is not declared; a table is a name with dots that lacks its
    quotes.
    """
    allowed = ", ".join(strategy.options) or "none, this strategy has no options"
    quotes = ""
    if isinstance(value, Mapping) and any(each.startswith(f"{name}.") for each in strategy.options):
        quotes = '; a name with dots is written in quotes, like "mail.smtp.timeout" = 5000'
    return f"unknown option{nearest(name, strategy.options)}{quotes}; allowed: {allowed}"


def _refused_by_strategy(
    strategy: Strategy, given: Mapping[str, object], place: str, key: str
) -> list[ScenarioError]:
    """A shipped class checks its own numbers when it is made; a person's is only made inside its
    run.
    """
    if strategy.name not in SHIPPED:
        return []
    try:
        strategy.made(given)
    except ValueError as error:
        return [ScenarioError(place, key, str(error))]
    return []


def _mistyped(default: object, value: object) -> str | None:
    """What is wrong with ``value`` for an option with this default; a default such as "0.5s" makes
    it a duration.
    """
    if isinstance(default, str) and _is_duration(default):
        try:
            units.duration(value)
        except ValueError as error:
            return str(error)
        return None
    kinds: dict[type, tuple[tuple[type, ...], str]] = {
        bool: ((bool,), "true or false"),
        int: ((int,), "a whole number"),
        float: ((int, float), "a number"),
        str: ((str,), "a string"),
    }
    wanted, said = kinds.get(type(default), ((object,), ""))
    if not isinstance(value, wanted) or (isinstance(value, bool) and bool not in wanted):
        return f"{shown(value)} is not {said}"
    if isinstance(value, float) and not abs(value) < float("inf"):
        return f"{shown(value)} is not a finite number"
    return None


def _is_duration(text: str) -> bool:
    try:
        units.duration(text)
    except ValueError:
        return False
    return True


def _execute(file: Path) -> ModuleType:
    # A name of its own: what looks its module up, as a dataclass does, finds this one, and nobody's
    # random.py is in the way.
    module = ModuleType(f"relaysim_strategy_{file.stem}")
    module.__file__ = str(file)
    sys.modules[module.__name__] = module
    try:
        exec(compile(file.read_bytes(), str(file), "exec"), module.__dict__)  # noqa: S102 - running the person's file is the point
    except KeyboardInterrupt:
        raise
    except BaseException as error:
        where = traceback.extract_tb(error.__traceback__)[-1] if error.__traceback__ else None
        line = (
            error.lineno
            if isinstance(error, SyntaxError)
            else where.lineno
            if where and where.filename == str(file)
            else None
        )
        at = f" at line {line}" if line else ""
        raise ValueError(f"{file.name} cannot be loaded{at}: {raised(error)}") from None
    return module


def _kind(found: object) -> str:
    """Empty for a strategy, else why it is none."""
    if inspect.isclass(found):
        if not callable(getattr(found, "run", None)):
            return "is a class without run(self, sender)"
        if not isinstance(getattr(found, "options", {}), Mapping):
            return "has options that are no dict of name: default"
        return _deferred(getattr(found, "run"))  # noqa: B009 - mypy knows no run of a class
    if not callable(found):
        return "is not a function or a class"
    try:
        parameters = list(inspect.signature(found).parameters)
    except (TypeError, ValueError):
        return "is not a function whose one parameter is named sender"
    if parameters != ["sender"]:
        return (
            "is no strategy: its one parameter is not named sender. Any other callable is production code, "
            "which is not yet in this version"
        )
    return _deferred(found)


def _deferred(function: Any) -> str:
    """A call of such a function does nothing yet, so that a run of it would send nothing and say
    nothing.
    """
    if inspect.iscoroutinefunction(function) or inspect.isasyncgenfunction(function):
        return "is async; a strategy is a plain function: write def, and without await"
    return (
        "yields; a strategy is a plain function that does its work when it is called"
        if inspect.isgeneratorfunction(function)
        else ""
    )


def described(found: Any, name: str | None = None) -> Strategy:
    """The Strategy of a function or class, by its own name unless one is given."""
    options = dict(getattr(found, "options", {})) if inspect.isclass(found) else {}
    about = (inspect.getdoc(found) or "").strip()
    return Strategy(
        name or str(getattr(found, "__name__", found)),
        found,
        options,
        about.split("\n\n")[0].replace("\n", " "),
    )
