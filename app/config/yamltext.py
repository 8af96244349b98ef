"""YAML that people wrote: strict, bounded, and every key remembers where it stands.

Refused besides malformed text: duplicate keys, keys that are not text, anchors and aliases, tags, and files too
large or too deep to have been written by hand (a repository's file is a stranger's text).
"""

import functools
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, TypeAlias

import yaml

Key: TypeAlias = tuple[str, ...]
"""Where a value stands: the keys from the top down to it; positions in a list are written as digits."""

MAX_BYTES = 256 * 1024
MAX_DEPTH = 20
_PLAIN = frozenset({"tag:yaml.org,2002:map", "tag:yaml.org,2002:seq"})


@dataclass(frozen=True, slots=True)
class Place:
    """Line and column, both counted from 1; line 0 says that no line can be named."""

    line: int = 0
    column: int = 0


@dataclass(frozen=True, slots=True)
class Document:
    """What a file says, and where it says each thing."""

    data: Mapping[str, Any]
    places: Mapping[Key, Place]

    def place(self, key: Key) -> Place:
        """Where `key` is written, or the nearest part of it that is."""
        for end in range(len(key), 0, -1):
            if found := self.places.get(key[:end]):
                return found
        return Place(1, 1)


class NotReadable(Exception):
    """The text is not of the form that is read here."""

    def __init__(self, what: str, place: Place) -> None:
        super().__init__(what)
        self.what = what
        self.place = place


@functools.lru_cache(maxsize=32)
def parse(text: bytes) -> Document:
    """The mapping that the text holds. Raises `NotReadable`.

    The same few texts are read for every task, so what was read is kept; nobody changes it.
    """
    if len(text) > MAX_BYTES:
        raise NotReadable(f"is larger than {MAX_BYTES // 1024} KiB", Place())
    try:
        node = yaml.compose(text.decode("utf-8-sig"), Loader=yaml.SafeLoader)
    except UnicodeDecodeError as error:
        line = text.count(b"\n", 0, error.start) + 1
        raise NotReadable("is not UTF-8 text", Place(line, 1)) from None
    except yaml.YAMLError as error:
        raise _malformed(error) from None
    except RecursionError:
        raise NotReadable("is nested too deeply", Place()) from None
    if node is None:
        return Document({}, {})
    if not isinstance(node, yaml.MappingNode):
        raise NotReadable("should be a mapping of keys to values", _place(node))
    return _Reader().read(node)


class _Reader:
    """Turns nodes into plain values, once per node, noting where each stands."""

    def __init__(self) -> None:
        self._places: dict[Key, Place] = {}
        self._seen: set[int] = set()
        self._scalars = yaml.SafeLoader("")

    def read(self, node: yaml.MappingNode) -> Document:
        return Document(self._value(node, ()), self._places)

    def _value(self, node: yaml.Node, key: Key) -> Any:
        if id(node) in self._seen:
            raise NotReadable("anchors and aliases (&, *) are not read here", _place(node))
        self._seen.add(id(node))
        if len(key) > MAX_DEPTH:
            raise NotReadable("is nested too deeply", _place(node))
        if isinstance(node, yaml.CollectionNode) and node.tag not in _PLAIN:
            raise NotReadable(f"the tag {node.tag!r} is not read here", _place(node))
        if isinstance(node, yaml.MappingNode):
            return dict(self._items(node, key))
        if isinstance(node, yaml.SequenceNode):
            return [
                self._value(item, self._item(key, n, item)) for n, item in enumerate(node.value)
            ]
        return self._scalar(node)

    def _items(self, node: yaml.MappingNode, key: Key) -> Iterator[tuple[str, Any]]:
        given: dict[str, Place] = {}
        for name, value in node.value:
            place = _place(name)
            if name.tag != "tag:yaml.org,2002:str":
                raise NotReadable("a key should be text; put it in quotes", place)
            if name.value in given:
                first = given[name.value].line
                raise NotReadable(
                    f"the key {name.value!r} stands here again; first in line {first}", place
                )
            given[name.value] = place
            self._places[(*key, name.value)] = place
            yield name.value, self._value(value, (*key, name.value))

    def _item(self, key: Key, number: int, node: yaml.Node) -> Key:
        below = (*key, str(number))
        self._places[below] = _place(node)
        return below

    def _scalar(self, node: yaml.Node) -> Any:
        try:
            return self._scalars.construct_object(node)
        except yaml.YAMLError as error:
            raise _malformed(error) from None
        except ValueError as error:
            raise NotReadable(f"{node.value!r} cannot be read: {error}", _place(node)) from None


def _place(node: yaml.Node) -> Place:
    return Place(node.start_mark.line + 1, node.start_mark.column + 1)


def _malformed(error: yaml.YAMLError) -> NotReadable:
    mark = getattr(error, "problem_mark", None)
    place = Place(mark.line + 1, mark.column + 1) if mark else Place()
    problem = getattr(error, "problem", None) or getattr(error, "reason", None) or "unknown cause"
    context = getattr(error, "context", None)
    return NotReadable(
        "is not YAML: " + (f"{context}, {problem}" if context else str(problem)), place
    )
