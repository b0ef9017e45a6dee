"""How a mistake in the configuration is told: file, key, value, what is allowed; all of them at once."""

from __future__ import annotations

import difflib
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from pydantic import BaseModel
from pydantic_core import ErrorDetails

SHOWN_VALUE_CHARACTERS = 80
"""A longer value is cut where a mistake is told."""


@dataclass(frozen=True, slots=True)
class Mistake:
    """
    One mistake.

    `source` is the file or option it stands in, `key` the path to it (`listen[1].endpoint`), empty for the file
    as a whole; `value` is what stands there, as text, empty where nothing can be shown; `allowed` says what is.
    """

    source: str
    key: str
    value: str
    allowed: str

    def __str__(self) -> str:
        said = " = ".join(part for part in (self.key, self.value) if part)
        return ": ".join(part for part in (self.source, said, self.allowed) if part)


class ConfigError(ValueError):
    """The configuration can't be used. Attribute `mistakes`: all that was found; the text has a line for each."""

    def __init__(self, mistakes: Sequence[Mistake]) -> None:
        super().__init__("\n".join(str(mistake) for mistake in mistakes))
        self.mistakes = tuple(mistakes)


def key_path(location: Iterable[str | int]) -> str:
    """`("listen", 1, "endpoint")` as `listen[1].endpoint`."""
    path = ""
    for step in location:
        path += f"[{step}]" if isinstance(step, int) else f".{step}" if path else step
    return path


def shown(value: object) -> str:
    """A value as TOML would write it, cut to a readable length."""
    if isinstance(value, Mapping):
        return "a table"
    try:
        text = json.dumps(value, ensure_ascii=False)
    except TypeError:
        text = str(value)
    return text if len(text) <= SHOWN_VALUE_CHARACTERS else text[: SHOWN_VALUE_CHARACTERS - 1] + "…"


def mistake_of(source: str, details: ErrorDetails, root: type[BaseModel]) -> Mistake:
    """The mistake that pydantic found, in our words."""
    location = details["loc"]
    value = "" if details["type"] == "missing" or _is_secret(str(location[-1])) else shown(details["input"])
    return Mistake(source, key_path(location), value, _allowed(details, root))


def _is_secret(key: str) -> bool:
    return "password" in key or key == "dsn"


def _allowed(details: ErrorDetails, root: type[BaseModel]) -> str:
    context = details.get("ctx", {})
    match details["type"]:
        case "missing":
            return "this setting is needed"
        case "extra_forbidden":
            return unknown_key(str(details["loc"][-1]), known_keys(root, details["loc"][:-1]))
        case "literal_error":
            return f"allowed: {str(context['expected']).replace(chr(39), chr(34)).replace(' or ', ', ')}"
        case "value_error":
            return f"allowed: {context['error']}"
        case "bool_type":
            return "allowed: true or false"
        case "int_type":
            return "allowed: a whole number"
        case "string_type":
            return 'allowed: a text in "quotes"'
        case "tuple_type" | "list_type":
            return "allowed: a list in [brackets]; for a table, [[double brackets]] around its name"
        case "model_type" | "model_attributes_type" | "dict_type":
            return "allowed: a table"
        case "greater_than_equal":
            return f"allowed: {context['ge']} or more"
        case "less_than_equal":
            return f"allowed: {context['le']} or less"
        case "too_short" if len(details["loc"]) > 1:
            return "allowed: at least one"
        case "too_short":
            return "allowed: at least one [[table]] of this name"
        case _:
            return details["msg"]


def unknown_key(key: str, known: Sequence[str]) -> str:
    """What is told of a key that means nothing here."""
    near = difflib.get_close_matches(key, known, 1, 0.6)
    hint = f'did you mean "{near[0]}"?' if near else f"known here: {', '.join(known)}"
    return f"unknown key; {hint}"


def known_keys(root: type[BaseModel], location: Iterable[str | int]) -> list[str]:
    """The settings of the table at this place."""
    table = root
    for step in location:
        if isinstance(step, str) and step in table.model_fields:
            table = _table_within(table.model_fields[step].annotation) or table
    return [name for name, field in table.model_fields.items() if not field.exclude]


def _table_within(annotation: object) -> type[BaseModel] | None:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return annotation
    for inner in getattr(annotation, "__args__", ()):
        if found := _table_within(inner):
            return found
    return None
