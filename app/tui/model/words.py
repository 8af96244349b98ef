"""Which words of a changed line differ: the k-th removed line of a block is held against the k-th added one."""

import re
from collections.abc import Sequence
from difflib import SequenceMatcher
from typing import Final, TypeAlias

Marks: TypeAlias = tuple[tuple[int, int], ...]

_TOKENS: Final = re.compile(r"\w+|\s+|[^\w\s]")
_LONGEST: Final = 400
_MOST: Final = 20_000
_ALIKE: Final = 0.5
"""Share of a line's words that must be the same; below it they are different lines, and marks noise."""


def word_marks(signs: Sequence[str], texts: Sequence[str]) -> list[Marks]:
    """For each line the places whose words differ from its counterpart's."""
    marks: list[Marks] = [()] * len(signs)
    at = 0
    while at < len(signs):
        if signs[at] != "-":
            at += 1
            continue
        middle = _run_end(signs, at, "-")
        end = _run_end(signs, middle, "+")
        for old, new in zip(range(at, middle), range(middle, end), strict=False):
            marks[old], marks[new] = compare(texts[old], texts[new])
        at = max(end, at + 1)
    return marks


def compare(old: str, new: str) -> tuple[Marks, Marks]:
    """The differing places of both lines; nothing when they are too long or too different."""
    if len(old) > _LONGEST or len(new) > _LONGEST:
        return (), ()
    left, right = _TOKENS.findall(old), _TOKENS.findall(new)
    if len(left) * len(right) > _MOST:
        return (), ()
    matcher = SequenceMatcher(None, left, right, autojunk=False)
    if not _alike(matcher, left, right):
        return (), ()
    old_marks, new_marks = [], []
    old_at = new_at = 0
    for tag, i1, i2, j1, j2 in matcher.get_opcodes():
        old_end = old_at + sum(map(len, left[i1:i2]))
        new_end = new_at + sum(map(len, right[j1:j2]))
        if tag != "equal":
            if old_end > old_at:
                old_marks.append((old_at, old_end))
            if new_end > new_at:
                new_marks.append((new_at, new_end))
        old_at, new_at = old_end, new_end
    return tuple(old_marks), tuple(new_marks)


def _alike(matcher: "SequenceMatcher[str]", left: list[str], right: list[str]) -> bool:
    """Whether it is the same line, changed. Spaces and punctuation do not count: all lines share those."""
    longer = max(_weight(left), _weight(right))
    same = sum(_weight(left[at : at + size]) for at, _, size in matcher.get_matching_blocks())
    return same >= _ALIKE * longer


def _weight(tokens: list[str]) -> int:
    return sum(len(token) for token in tokens if token[0].isalnum() or token[0] == "_")


def _run_end(signs: Sequence[str], at: int, sign: str) -> int:
    while at < len(signs) and signs[at] == sign:
        at += 1
    return at
