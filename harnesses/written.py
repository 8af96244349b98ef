"""Checking what people write by hand: unknown keys are refused, and every error says where it stands."""

from typing import TypeVar

from pydantic import BaseModel, ConfigDict, ValidationError
from pydantic_core import ErrorDetails

from harnesses.errors import BadSettings
from harnesses.text import nearest

M = TypeVar("M", bound="Written")


class Written(BaseModel):
    """The frozen base of all forms a person fills in."""

    model_config = ConfigDict(frozen=True, extra="forbid", populate_by_name=True)


def read_form(form: type[M], value: object, where: str) -> M:
    """The value as that form. `BadSettings` has a line for each thing that is wrong."""
    try:
        return form.model_validate(value)
    except ValidationError as error:
        faults = error.errors(include_url=False, include_context=False)
        raise BadSettings("\n".join(_sentence(form, fault, where) for fault in faults)) from None


def unknown_key(path: str, key: str, known: list[str], *, what: str = "key") -> str:
    """The sentence about a key that does not exist."""
    meant = nearest(key, known)
    advice = f"did you mean {meant}?" if meant else f"known are {', '.join(sorted(known))}"
    return f"{path}: unknown {what}, {advice}"


def _sentence(form: type[Written], fault: ErrorDetails, where: str) -> str:
    path = join(where, *fault["loc"])
    if fault["type"] == "extra_forbidden" and len(fault["loc"]) == 1:
        known = [field.alias or name for name, field in form.model_fields.items()]
        return unknown_key(path, str(fault["loc"][0]), known)
    message = fault["msg"]
    if fault["type"] == "value_error":
        return f"{path}: {message.removeprefix('Value error, ')}"
    return f"{path}: {message[:1].lower()}{message[1:]}"


def join(where: str, *parts: str | int) -> str:
    """A readable path: `turns[0].steps[2].edit`."""
    for part in parts:
        if isinstance(part, int):
            where += f"[{part}]"
        else:
            where += f".{part}" if where else part
    return where
