"""Strict reading of TOML tables into pydantic models, with errors in the words of the user.

:func:`read` returns a model, or raises one ScenarioError with a line for every mistake: its place,
key and value, and what is allowed instead. :func:`read_toml` reads the tables of a file.
"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from fractions import Fraction
from pathlib import Path
from typing import Annotated, Any, TypeVar

from pydantic import BaseModel, BeforeValidator, ConfigDict, PlainValidator, ValidationError

from . import units
from .errors import ScenarioError, nearest
from .text import one_line, shown


class Table(BaseModel):
    """A table in which an unknown key, a wrong type, NaN and infinity are mistakes, and that cannot
    change once read.
    """

    model_config = ConfigDict(
        strict=True, extra="forbid", frozen=True, allow_inf_nan=False, populate_by_name=True
    )


Duration = Annotated[int, BeforeValidator(units.duration)]
"""Microseconds; written as seconds or "90s"."""

Rate = Annotated[Fraction, PlainValidator(units.rate)]
"""Messages a microsecond; written like "300/min"."""

Model = TypeVar("Model", bound=BaseModel)


def read_toml(path: Path) -> dict[str, Any]:
    """The tables of a TOML file; ScenarioError if it cannot be read or is no TOML."""
    try:
        return tomllib.loads(
            path.read_text(encoding="utf-8-sig")
        )  # some editors of Windows begin a file with a mark
    except OSError as error:
        raise ScenarioError(str(path), "", f"cannot be read: {error.strerror or error}") from None
    except UnicodeDecodeError:
        raise ScenarioError(str(path), "", "is not UTF-8 text, as a TOML file is") from None
    except RecursionError:
        raise ScenarioError(
            str(path), "", "is not valid TOML: its values are nested too deeply"
        ) from None
    # a whole number of thousands of digits is no TOMLDecodeError, but a ValueError all the same
    except ValueError as error:
        raise ScenarioError(str(path), "", f"is not valid TOML: {one_line(str(error))}") from None


def read(model: type[Model], data: Mapping[str, Any], place: str, key: str = "") -> Model:
    """``data`` as a ``model``. Raises one ScenarioError that holds every mistake, in the order of
    the model's keys.
    """
    try:
        return model.model_validate(data)
    except ValidationError as error:
        raise ScenarioError.joined(problems(model, error, place, key)) from None


def problems(
    model: type[BaseModel], error: ValidationError, place: str, key: str
) -> list[ScenarioError]:
    """A ScenarioError for each thing that pydantic found."""
    return [
        ScenarioError(
            place,
            ".".join(str(part) for part in ([key] if key else []) + list(detail["loc"])),
            _said(model, dict(detail)),
        )
        for detail in error.errors(include_url=False)
    ]


DURATIONS = {
    "per",
    "block",
    "rtt",
    "relay_time",
    "connection",
    "message",
    "from",
    "until",
    "at",
    "for",
    "every",
}
"""The keys of policies, workloads, networks and faults whose values are durations."""


def written(table: BaseModel) -> dict[str, Any]:
    """A table that was read as a file would say it: durations in seconds, and without what is not
    set.
    """
    return {
        key: _written(key, value)
        for key, value in table.model_dump(by_alias=True, exclude_none=True).items()
    }


def _written(key: str, value: Any) -> Any:
    if isinstance(value, Mapping):
        return {inner: _written(inner, each) for inner, each in value.items()}
    if isinstance(value, list):
        return [_written(key, each) for each in value]
    return units.seconds(value) if key in DURATIONS else value


def choice(value: object, allowed: tuple[str, ...], what: str) -> str:
    """``value`` if it is one of ``allowed``; ValueError with all of them and the nearest name."""
    if isinstance(value, str) and value in allowed:
        return value
    close = nearest(value, allowed) if isinstance(value, str) else ""
    raise ValueError(f"{shown(value)} is not {what}; allowed: {', '.join(allowed)}{close}")


def unknown_key(name: str, allowed: list[str]) -> str:
    """What is said of a key that is not one of ``allowed``."""
    return f"unknown key{nearest(name, allowed)}; allowed: {', '.join(allowed)}"


def _said(model: type[BaseModel], detail: dict[str, Any]) -> str:
    kind = detail["type"]
    given = shown(detail.get("input"))
    context = detail.get("ctx", {})
    if detail["loc"] and detail["loc"][-1] in DURATIONS:
        if context.get("ge") == 1:  # a microsecond, which nobody means
            return f"{given} is too small; more than 0"
        context = {
            name: units.spoken(value) if name == "le" else value for name, value in context.items()
        }
    if kind == "extra_forbidden":
        return unknown_key(str(detail["loc"][-1]), _keys(model, detail["loc"][:-1]))
    sentences = {
        "missing": "is required",
        "value_error": str(context.get("error", "")),
        "literal_error": f"{given} is not allowed; allowed: {context.get('expected', '').replace(chr(39), chr(34))}",
        "int_type": f"{given} is not a whole number",
        "int_from_float": f"{given} is not a whole number",
        "float_type": f"{given} is not a number",
        "bool_type": f"{given} is not true or false",
        "string_type": f"{given} is not a string",
        "finite_number": f"{given} is not a finite number",
        "greater_than_equal": f"{given} is too small; at least {context.get('ge')}",
        "greater_than": f"{given} is too small; more than {context.get('gt')}",
        "less_than_equal": f"{given} is too large; at most {context.get('le')}",
        "less_than": f"{given} is too large; less than {context.get('lt')}",
        "model_type": f"{given} is not a table",
        "model_attributes_type": f"{given} is not a table",
        "dict_type": f"{given} is not a table",
        "list_type": f"{given} is not a list",
        "too_short": f"{given} has {context.get('actual_length')} values; {context.get('min_length')} are needed",
        "too_long": f"{given} has {context.get('actual_length')} values; {context.get('max_length')} are needed",
    }
    return sentences.get(kind) or f"{given}: {detail['msg']}"


def _keys(model: type[BaseModel], location: tuple[Any, ...]) -> list[str]:
    """The keys that are allowed at a place inside ``model``."""
    inner: Any = model
    for part in location:
        if isinstance(part, str) and isinstance(inner, type) and issubclass(inner, BaseModel):
            fields = {
                field.alias or name: field.annotation for name, field in inner.model_fields.items()
            }
            inner = _table_in(fields.get(part))
    if not (isinstance(inner, type) and issubclass(inner, BaseModel)):
        return []
    return [field.alias or name for name, field in inner.model_fields.items()]


def _table_in(annotation: Any) -> Any:
    """The Table inside ``X``, ``X | None`` or ``list[X]``."""
    if isinstance(annotation, type):
        return annotation
    inside = [
        part
        for part in getattr(annotation, "__args__", ())
        if isinstance(part, type) and issubclass(part, BaseModel)
    ]
    return inside[0] if inside else None
