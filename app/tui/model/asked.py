"""What an agent wants a tool to do, as people read it: its input by field, an edit as what goes and what comes."""

import json
from collections.abc import Iterator, Mapping, Sequence
from difflib import SequenceMatcher
from functools import lru_cache
from typing import Any, Final

from app.tui.model.line import Line, wrap

_OLD: Final = ("old_string", "old_str", "oldString", "oldText")
_NEW: Final = ("new_string", "new_str", "newString", "newText")
"""What the tools of agents call the two texts of an edit."""
_PATCHES: Final = ("diff", "patch", "unified_diff")
_INKS: Final = {"+": "added", "-": "removed", " ": ""}
_DEEPEST: Final = 4
_PAIRS: Final = 40_000
"""Lines of one text times lines of the other that are compared: it takes time by their product."""


@lru_cache(8)
def input_lines(detail: str, width: int) -> Sequence[Line]:
    """All of a tool's input, nothing cut. What is no JSON object, or says a thing twice, stands as it came."""
    try:
        fields = json.loads(detail, object_pairs_hook=_once)
        if isinstance(fields, dict) and fields:
            return tuple(_fields(fields, width, 0))
    except (ValueError, RecursionError):
        pass
    return tuple([(text, "")] for text in wrap(detail, width))


def changed_lines(detail: str, width: int) -> Sequence[Line]:
    """Those of it that an edit takes away or puts in; none where it is no edit."""
    return [line for line in input_lines(detail, width) if line[-1][1] in ("added", "removed")]


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """Of two values of one name a tool may take the other one than is shown."""
    fields = dict(pairs)
    if len(fields) < len(pairs):
        raise ValueError("a name stands there twice")
    return fields


def _fields(fields: Mapping[str, Any], width: int, depth: int) -> Iterator[Line]:
    pairs = [(old, new) for old, new in zip(_OLD, _NEW, strict=True) if {old, new} <= fields.keys()]
    both = {name for pair in pairs for name in pair}
    for name, value in fields.items():
        if name not in both:
            yield from _field(name, value, width, depth)
    for old, new in pairs:
        yield from _edit(_text(fields[old]), _text(fields[new]), width)


def _field(name: str, value: Any, width: int, depth: int) -> Iterator[Line]:
    if name in _PATCHES and isinstance(value, str):
        yield from (line for text in value.split("\n") for line in _signed(text[:1], text, width))
    elif isinstance(value, list) and depth < _DEEPEST and all(isinstance(v, dict) for v in value):
        for each in value:
            yield from _fields(each, width, depth + 1)
    else:
        first, *rest = wrap(f"{name}: {_text(value)}", width)
        yield [(first, "")]
        yield from ([(text, "")] for text in rest)


def _text(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def _edit(old: str, new: str, width: int) -> Iterator[Line]:
    """Both texts line by line, what they have in common once; of long ones that is how they begin."""
    before, after = old.split("\n"), new.split("\n")
    for what, i, j, k, m in _steps(before, after):
        if what == "equal":
            yield from (line for text in before[i:j] for line in _signed(" ", "  " + text, width))
            continue
        yield from (line for text in before[i:j] for line in _signed("-", "- " + text, width))
        yield from (line for text in after[k:m] for line in _signed("+", "+ " + text, width))


def _steps(before: Sequence[str], after: Sequence[str]) -> Sequence[tuple[str, int, int, int, int]]:
    """As `SequenceMatcher.get_opcodes`, but never slow: the texts are an agent's."""
    if len(before) * len(after) <= _PAIRS:
        return SequenceMatcher(None, before, after, autojunk=False).get_opcodes()
    pairs = enumerate(zip(before, after, strict=False))
    same = next((at for at, (old, new) in pairs if old != new), min(len(before), len(after)))
    return [
        ("equal", 0, same, 0, same),
        ("replace", same, len(before), same, len(after)),
    ]


def _signed(sign: str, text: str, width: int) -> Iterator[Line]:
    """One line of a change; where it is long, it goes on below."""
    ink = _INKS.get(sign, "")
    yield from ([(piece, ink)] for piece in wrap(text, width))
