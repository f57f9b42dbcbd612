"""Finds a strategy by its shipped name (:func:`shipped`) or as ``path/to/file.py:name``
(:func:`load`), and checks its options (:func:`check_options`).

Loading a user's file executes it. Load it in a child process if it must not affect the caller.
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
from . import adaptive, paced, retry, simple
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
"""The function of a worker, called once with its sender."""

SHIPPED: dict[str, Any] = {
    "connection-per-message": simple.connection_per_message,
    "one-connection": simple.one_connection,
    "batches": simple.Batches,
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
"""The shipped strategies by the name in ``sender.strategy``."""


@dataclass(frozen=True, slots=True)
class Strategy:
    """A strategy that was found, with its declared options. ``made`` returns the function that each
    worker calls.
    """

    name: str
    found: Any
    options: Mapping[str, object]
    about: str

    @property
    def library(self) -> str | None:
        """The name of the mail library that this is a model of; None for a strategy that can
        send in production.
        """
        return getattr(self.found, "library", None)

    @property
    def explained(self) -> Mapping[str, str]:
        """A sentence for each option by its name; a strategy may omit any of them."""
        return getattr(self.found, "explained", {})

    def made(self, options: Mapping[str, object]) -> Runnable:
        """The function for all workers of a run. A class is instantiated once, so that the workers
        share its attributes.
        """
        if inspect.isclass(self.found):
            made: Any = self.found(**{**self.options, **options})
            run: Runnable = made.run
            return run
        function: Runnable = self.found
        return function


def is_path(name: str) -> bool:
    """Whether ``name`` means a user's file rather than a shipped strategy."""
    return ".py" in name or "/" in name


def shipped(name: str) -> Strategy:
    """The shipped strategy of this name. ValueError with a message for users if there is none."""
    if name not in SHIPPED:
        close = nearest(name, SHIPPED)
        raise ValueError(
            f"{shown(name)} is no shipped strategy; allowed: "
            f"{', '.join(SHIPPED)}, or path/to/file.py:name{close}"
        )
    return described(SHIPPED[name], name)


def split(name: str, folder: Path) -> tuple[Path, str]:
    """The file and the name of ``path/to/file.py:name``. ValueError with a message for users if
    there is no such file.
    """
    path, colon, wanted = name.rpartition(":")
    if not colon or not wanted.isidentifier():
        raise ValueError(f"{shown(name)} names no strategy in the file; write path/to/file.py:name")
    file = folder / path
    if not file.is_file():
        raise ValueError(f"{shown(path)} is not a file; a path is relative to the scenario file")
    return file, wanted


def load(file: Path, wanted: str) -> Strategy:
    """Executes ``file`` and finds the strategy ``wanted`` in it. ValueError with a message for
    users if either is invalid.

    Every call executes the file again, so that a run cannot affect the next one.
    """
    module = _execute(file)
    if not hasattr(module, wanted):
        names = [
            name
            for name, value in vars(module).items()
            if _kind(value) == "" and not name.startswith("_")
        ]
        raise ValueError(
            f"{file.name} has no {wanted}{nearest(wanted, names)}; strategies in it: "
            f"{', '.join(names) or 'none'}"
        )
    found = getattr(module, wanted)
    wrong = _kind(found)
    if wrong:
        raise ValueError(f"{file.name}:{wanted} {wrong}")
    return described(found, f"{file.name}:{wanted}")


def check_options(
    strategy: Strategy, given: Mapping[str, object], place: str, key: str = "sender.options"
) -> None:
    """ScenarioError if ``given`` has an option that the strategy does not declare, or whose type
    differs from its default's.
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
    """The error for an undeclared option. A table means that a name with dots has no quotes."""
    allowed = ", ".join(strategy.options) or "none, this strategy has no options"
    quotes = ""
    if isinstance(value, Mapping) and any(each.startswith(f"{name}.") for each in strategy.options):
        quotes = '; a name with dots is written in quotes, like "mail.smtp.timeout" = 5000'
    return f"unknown option{nearest(name, strategy.options)}{quotes}; allowed: {allowed}"


def _refused_by_strategy(
    strategy: Strategy, given: Mapping[str, object], place: str, key: str
) -> list[ScenarioError]:
    """The errors of a shipped class, which checks its numbers when it is instantiated. A user's
    class is only instantiated for a run.
    """
    if strategy.name not in SHIPPED:
        return []
    try:
        strategy.made(given)
    except ValueError as error:
        return [ScenarioError(place, key, str(error))]
    return []


def _mistyped(default: object, value: object) -> str | None:
    """The error for an option's value, None if it is valid. A default such as "0.5s" makes the
    option a duration.
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
    wanted, description = kinds.get(type(default), ((object,), ""))
    if not isinstance(value, wanted) or (isinstance(value, bool) and bool not in wanted):
        return f"{shown(value)} is not {description}"
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
    # A dataclass looks up its module by name: the prefix makes it find this module, and keeps a
    # user's random.py from hiding the standard one.
    module = ModuleType(f"relaysim_strategy_{file.stem}")
    module.__file__ = str(file)
    sys.modules[module.__name__] = module
    try:
        code = compile(file.read_bytes(), str(file), "exec")
        exec(code, module.__dict__)  # noqa: S102 - a user's strategy must be executed
    except KeyboardInterrupt:
        raise
    except BaseException as error:
        line = _line_of(error, file)
        at = f" at line {line}" if line else ""
        raise ValueError(f"{file.name} cannot be loaded{at}: {raised(error)}") from None
    return module


def _line_of(error: BaseException, file: Path) -> int | None:
    """The line of ``file`` that raised ``error``; None if another file did."""
    if isinstance(error, SyntaxError):
        return error.lineno
    if error.__traceback__ is None:
        return None
    where = traceback.extract_tb(error.__traceback__)[-1]
    return where.lineno if where.filename == str(file) else None


def _kind(found: object) -> str:
    """Why it is not a strategy; empty if it is one."""
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
            "is no strategy: its one parameter is not named sender. "
            "Any other callable is production code, which is not yet in this version"
        )
    return _deferred(found)


def _deferred(function: Any) -> str:
    """The problem of an async function or a generator, empty for others: a call of it does nothing,
    so a run would send nothing without an error.
    """
    if inspect.iscoroutinefunction(function) or inspect.isasyncgenfunction(function):
        return "is async; a strategy is a plain function: write def, and without await"
    if inspect.isgeneratorfunction(function):
        return "yields; a strategy is a plain function that does its work when it is called"
    return ""


def described(found: Any, name: str | None = None) -> Strategy:
    """The Strategy of a function or class, under its own name if ``name`` is None."""
    options = dict(getattr(found, "options", {})) if inspect.isclass(found) else {}
    about = (inspect.getdoc(found) or "").strip()
    return Strategy(
        name or str(getattr(found, "__name__", found)),
        found,
        options,
        about.split("\n\n")[0].replace("\n", " "),
    )
