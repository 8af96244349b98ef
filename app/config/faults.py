"""What is wrong with a setting, in words: where it stands, what was expected, what was probably meant."""

import types
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from typing import Any, Union, get_args, get_origin

from pydantic import BaseModel, ValidationError
from pydantic.fields import FieldInfo

from app.config.settings import Settings
from app.config.yamltext import Key
from app.domain.errors import ConfigError

EXPECTED = {
    "string_type": "should be text; put it in quotes if it looks like a number",
    "int_type": "should be a whole number",
    "float_type": "should be a number",
    "bool_type": "should be true or false",
    "tuple_type": "should be a list",
    "list_type": "should be a list",
    "dict_type": "should be a mapping of keys to values",
    "mapping_type": "should be a mapping of keys to values",
    "model_type": "should be a mapping of keys to values",
    "missing": "is needed here",
    "too_short": "should not be empty",
    "string_too_short": "should not be empty",
}
"""In place of pydantic's words, which are for programmers."""


@dataclass(frozen=True, slots=True, order=True)
class Fault:
    """One thing that is wrong."""

    file: str
    line: int
    column: int
    key: str
    what: str

    def __str__(self) -> str:
        where = f"{self.file}:{self.line}" if self.line else self.file
        column = f":{self.column}" if self.line and self.column and not self.key else ""
        return f"{where}{column}: {self.key + ' ' if self.key else ''}{self.what}"


def report(faults: Iterable[Fault], hint: str = "") -> ConfigError:
    """One error that lists them all, in the order they stand in the file."""
    return ConfigError("\n".join(str(fault) for fault in sorted(set(faults))), hint=hint)


def faults_of(
    error: ValidationError, root: type[BaseModel] = Settings
) -> Iterator[tuple[Key, str, bool]]:
    """Key, what is wrong, and whether it is only missing, in a file of the form `root`."""
    for item in error.errors(include_url=False):
        key = tuple(str(part) for part in item["loc"] if part != "[key]")
        yield key, _words(item, key, root), item["type"] == "missing"


def fields_at(key: Key, root: type[BaseModel] = Settings) -> Mapping[str, FieldInfo]:
    """The settings that may stand below `key`; none where any name may."""
    model: type[BaseModel] | None = root
    rest = list(key)
    while rest and model is not None:
        field = model.model_fields.get(rest.pop(0))
        models = list(models_of(field.annotation)) if field else []
        if models and field is not None and _holds_many(field.annotation) and rest:
            rest.pop(0)
        elif models and field is not None and _holds_many(field.annotation):
            return {}
        model = models[0] if models else None
    return model.model_fields if model else {}


def _holds_many(annotation: Any) -> bool:
    """Whether models stand below it by name or by number."""
    return _is_mapping(annotation) or get_origin(annotation) is tuple


def _is_mapping(annotation: Any) -> bool:
    origin = get_origin(annotation)
    return isinstance(origin, type) and issubclass(origin, Mapping)


def models_of(annotation: Any) -> Iterator[type[BaseModel]]:
    """The models an annotation names, itself or as the values of a mapping or a list."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        yield annotation
    elif _is_mapping(annotation):
        yield from models_of(get_args(annotation)[1])
    elif get_origin(annotation) is tuple:
        yield from models_of(get_args(annotation)[0])
    elif get_origin(annotation) in (Union, types.UnionType):
        for part in get_args(annotation):
            yield from models_of(part)


def _words(item: Any, key: Key, root: type[BaseModel]) -> str:
    kind = item["type"]
    if kind == "extra_forbidden":
        known = fields_at(key[:-1], root)
        return "is not a setting" + _nearest(key[-1], known)
    if kind == "literal_error":
        expected = item["ctx"]["expected"]
        given = item["input"]
        options = [part.strip(" '") for part in expected.replace(" or ", ",").split(",")]
        return f"should be {expected}, not {_shown(given)}" + _nearest(str(given), options)
    if kind == "value_error":
        return str(item["ctx"]["error"])
    words = EXPECTED.get(kind) or item["msg"].replace("Input should", "should")
    # What stands in these parts can be a secret in the wrong place.
    silent = kind in ("missing", "too_short", "string_too_short") or key[0] in {
        "gateway",
        "database",
        "secrets",
    }
    return words if silent else f"{words}, not {_shown(item['input'])}"


def _shown(value: Any) -> str:
    if isinstance(value, Mapping):
        return "a mapping"
    if isinstance(value, (list, tuple)):
        return "a list"
    if value is None:
        return "nothing"
    text = repr(value)
    return text if len(text) <= 40 else text[:37] + "…"


def _nearest(given: str, known: Iterable[str]) -> str:
    names = list(known)
    if match := get_close_matches(given, names, n=1, cutoff=0.6):
        return f"; did you mean {match[0]!r}?"
    return f"; known here: {', '.join(sorted(names))}" if names else ""
