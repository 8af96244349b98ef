"""One of every kind of event body, with text that tries to act on the screen."""

from collections.abc import Iterator
from typing import Any, get_args

import msgspec

from app.domain.events import Body

HOSTILE = "x\x1b]52;c;aGk=\x07\r\n\u202ey"


def every_body() -> Iterator[Body]:
    """Every member of the union, every text in it hostile."""
    for kind in get_args(Body):
        yield kind(**{field.name: _value(field.type) for field in msgspec.structs.fields(kind)})


def _value(annotation: Any) -> Any:
    return _of(msgspec.inspect.type_info(annotation))


def _of(info: Any) -> Any:
    match info:
        case msgspec.inspect.StrType():
            return HOSTILE
        case msgspec.inspect.LiteralType():
            return info.values[0]
        case msgspec.inspect.EnumType():
            return next(iter(info.cls))
        case msgspec.inspect.VarTupleType():
            return (_of(info.item_type),)
        case msgspec.inspect.UnionType():
            return _of(info.types[0])
        case msgspec.inspect.StructType():
            return info.cls(**{field.name: _of(field.type) for field in info.fields})
        case _:
            return 1
