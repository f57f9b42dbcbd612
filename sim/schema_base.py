"""Strict reading of TOML tables into pydantic models, with errors in the words of the user.

:func:`read` returns a model, or raises one ScenarioError with a line for every mistake: its place,
key and value, and the values that are allowed. :func:`read_toml` reads the tables of a file, and
:func:`written` turns a model back into such tables.
"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from fractions import Fraction
from pathlib import Path
from typing import Annotated, Any, TypeVar, get_args

from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    PlainSerializer,
    PlainValidator,
    SerializationInfo,
    ValidationError,
    ValidatorFunctionWrapHandler,
    WrapValidator,
)

from . import units
from .errors import ScenarioError, nearest
from .text import one_line, shown


class Table(BaseModel):
    """A table of a file. An unknown key, a wrong type, NaN and infinity are mistakes. A table that
    was read cannot change.
    """

    model_config = ConfigDict(
        strict=True, extra="forbid", frozen=True, allow_inf_nan=False, populate_by_name=True
    )


def _as_written(micros: int, info: SerializationInfo) -> Any:
    # Only written() asks for values that can be read again. Every other dump keeps microseconds.
    return units.seconds(micros) if info.round_trip else micros


def _positive(value: object, read: ValidatorFunctionWrapHandler) -> int:
    micros: int = read(value)
    if micros == 0:
        raise ValueError(f"{shown(value)} is too small; more than 0")
    return micros


def at_most(longest: int) -> WrapValidator:
    """For a Duration: the longest that is allowed, in microseconds."""

    def check(value: object, read: ValidatorFunctionWrapHandler) -> int:
        micros: int = read(value)
        if micros > longest:
            raise ValueError(f"{shown(value)} is too large; at most {units.spoken(longest)}")
        return micros

    return WrapValidator(check)


POSITIVE = WrapValidator(_positive)
"""For a Duration: 0 is not allowed."""

Duration = Annotated[int, BeforeValidator(units.duration), PlainSerializer(_as_written)]
"""Microseconds; written as seconds or "90s"."""

Rate = Annotated[Fraction, PlainValidator(units.rate)]
"""Messages per microsecond; written like "300/min"."""

Model = TypeVar("Model", bound=BaseModel)


def read_toml(path: Path) -> dict[str, Any]:
    """The tables of a TOML file; ScenarioError if it cannot be read or is not TOML."""
    try:
        # Some editors on Windows start a file with a byte order mark, which utf-8-sig drops.
        return tomllib.loads(path.read_text(encoding="utf-8-sig"))
    except OSError as error:
        raise ScenarioError(str(path), "", f"cannot be read: {error.strerror or error}") from None
    except UnicodeDecodeError:
        raise ScenarioError(str(path), "", "is not UTF-8 text, as a TOML file is") from None
    except (ValueError, RecursionError) as error:
        raise ScenarioError(str(path), "", not_toml(error)) from None


def not_toml(error: ValueError | RecursionError) -> str:
    """The problem with a text that ``tomllib`` refused with ``error``.

    An integer of thousands of digits raises a plain ValueError and not a TOMLDecodeError.
    """
    if isinstance(error, RecursionError):
        return "is not valid TOML: its values are nested too deeply"
    return f"is not valid TOML: {one_line(str(error))}"


def read(model: type[Model], data: Mapping[str, Any], place: str, key: str = "") -> Model:
    """``data`` as a ``model``. Raises one ScenarioError that holds every mistake, in the order of
    the model's keys.
    """
    try:
        return model.model_validate(data)
    except ValidationError as error:
        found = [problem(model, one, place, key) for one in details(error)]
        raise ScenarioError.joined(found) from None


def details(error: ValidationError) -> list[dict[str, Any]]:
    """What pydantic found: a dict with ``type``, ``loc``, ``input``, ``msg`` and perhaps ``ctx``
    for each mistake.
    """
    return [dict(one) for one in error.errors(include_url=False)]


def problem(
    model: type[BaseModel], detail: Mapping[str, Any], place: str, key: str = ""
) -> ScenarioError:
    """The ScenarioError for one of the ``details``; ``key`` is the dotted key of the model."""
    parts, table = _located(model, detail["loc"])
    parts = [key, *parts] if key else parts
    if detail["type"] == "extra_forbidden":
        return ScenarioError(place, ".".join(parts), unknown_key(parts[-1], _keys(table)))
    if detail["type"] in ("union_tag_not_found", "union_tag_invalid"):
        kinds = list(_kinds(table, parts[-1]))
        return ScenarioError(place, ".".join([*parts, "kind"]), _no_kind(detail, parts[-1], kinds))
    return ScenarioError(place, ".".join(parts), _sentence(detail))


def written(table: BaseModel) -> dict[str, Any]:
    """A table that was read, as the tables of a file: durations in seconds, and no keys that are
    not set.
    """
    return table.model_dump(by_alias=True, exclude_none=True, round_trip=True)


def choice(value: object, allowed: tuple[str, ...], what: str) -> str:
    """``value`` if it is one of ``allowed``; ValueError with all of them and the nearest name."""
    if isinstance(value, str) and value in allowed:
        return value
    close = nearest(value, allowed) if isinstance(value, str) else ""
    raise ValueError(f"{shown(value)} is not {what}; allowed: {', '.join(allowed)}{close}")


def unknown_key(name: str, allowed: list[str]) -> str:
    """The problem with a key that is not one of ``allowed``."""
    return f"unknown key{nearest(name, allowed)}; allowed: {', '.join(allowed)}"


def _no_kind(detail: Mapping[str, Any], name: str, kinds: list[str]) -> str:
    kind = detail["input"].get("kind")
    if kind is None:
        return f"is required; allowed: {', '.join(kinds)}"
    close = nearest(kind, kinds) if isinstance(kind, str) else ""
    return f"{shown(kind)} is no {name}{close}; allowed: {', '.join(kinds)}"


def _sentence(detail: Mapping[str, Any]) -> str:
    given = shown(detail.get("input"))
    context = detail.get("ctx", {})
    expected = context.get("expected", "").replace("'", '"')
    values = f"{given} has {context.get('actual_length')} values"
    sentences = {
        "missing": "is required",
        "value_error": str(context.get("error", "")),
        "literal_error": f"{given} is not allowed; allowed: {expected}",
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
        **dict.fromkeys(NOT_A_TABLE, f"{given} is not a table"),
        "list_type": f"{given} is not a list",
        "too_short": f"{values}; {context.get('min_length')} are needed",
        "too_long": f"{values}; {context.get('max_length')} are needed",
    }
    return sentences.get(detail["type"]) or f"{given}: {detail['msg']}"


NOT_A_TABLE = ("model_type", "model_attributes_type", "dict_type")
"""The types of mistake for a value in the place of a table."""


def _located(
    model: type[BaseModel], location: tuple[int | str, ...]
) -> tuple[list[str], type[BaseModel] | None]:
    """The keys that lead to a location of pydantic's, and the table that the last of them is in.

    Where a table is one of several kinds, pydantic's location also has the kind, which the file
    does not have as a key.
    """
    parts: list[str] = []
    holder: type[BaseModel] | None = model
    inner: type[BaseModel] | None = model
    kinds: dict[str, type[BaseModel]] = {}
    for part in location:
        if part in kinds:
            inner = kinds[str(part)]
            kinds = {}
            continue
        parts.append(str(part))
        if isinstance(part, str):
            holder = inner
            kinds = _kinds(holder, part)
            inner = next(iter(_tables(holder, part)), None)
    return parts, holder


def _keys(table: type[BaseModel] | None) -> list[str]:
    fields = table.model_fields if table else {}
    return [field.alias or name for name, field in fields.items()]


def _kinds(table: type[BaseModel] | None, key: str) -> dict[str, type[BaseModel]]:
    """The tables that ``key`` can hold by their ``kind``; none where there is only one."""
    tables = _tables(table, key)
    if len(tables) < 2:
        return {}
    return {get_args(one.model_fields["kind"].annotation)[0]: one for one in tables}


def _tables(table: type[BaseModel] | None, key: str) -> list[type[BaseModel]]:
    """The tables inside ``X``, ``X | None``, ``X | Y`` or ``list[X]``, the type of ``key``."""
    fields = table.model_fields if table else {}
    found = next((one for name, one in fields.items() if (one.alias or name) == key), None)
    if found is None:
        return []
    types = [found.annotation, *get_args(found.annotation)]
    return [one for one in types if isinstance(one, type) and issubclass(one, BaseModel)]
