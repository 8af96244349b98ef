"""The colours of source text, by Pygments: which characters are keyword, string, comment, number or name."""

from bisect import bisect_right
from collections.abc import Sequence
from functools import lru_cache
from itertools import accumulate
from typing import Final, TypeAlias

from pygments.lexer import Lexer
from pygments.lexers import get_lexer_for_filename
from pygments.token import Comment, Keyword, Literal, Name, _TokenType
from pygments.util import ClassNotFound

Spans: TypeAlias = list[tuple[int, int, str]]
"""From which to which character, with the name of the ink."""

_INKS: Final[tuple[tuple[_TokenType, str], ...]] = (
    (Comment, "comment"),
    (Keyword, "keyword"),
    (Literal.String, "string"),
    (Literal.Number, "number"),
    (Name.Builtin, "builtin"),
    (Name.Function, "name"),
    (Name.Class, "name"),
    (Name.Decorator, "builtin"),
    (Name.Tag, "keyword"),
    (Name.Attribute, "builtin"),
)


def colours(path: str, signs: str, texts: Sequence[str]) -> list[Spans]:
    """The colours of a diff's lines: old and new text are read apart, each as it stands in its file."""
    found: list[Spans] = [[] for _ in texts]
    lexer = _lexer(path.rpartition("/")[2])
    if lexer is None:
        return found
    for side in ("-", "+"):
        lines = [at for at, sign in enumerate(signs) if sign in (" ", side)]
        for at, spans in zip(lines, _of_text(lexer, [texts[at] for at in lines]), strict=True):
            found[at] = spans
    return found


def _of_text(lexer: Lexer, lines: list[str]) -> list[Spans]:
    spans: list[Spans] = [[] for _ in lines]
    starts = list(accumulate((len(line) + 1 for line in lines), initial=0))
    # Unprocessed: otherwise lone carriage returns would become lines of their own.
    for index, kind, text in lexer.get_tokens_unprocessed("\n".join(lines)):
        ink = _ink(kind)
        line = bisect_right(starts, index) - 1
        at = index - starts[line]
        for part in text.split("\n") if ink else ():
            if part:
                spans[line].append((at, at + len(part), ink))
            line, at = line + 1, 0
    return spans


@lru_cache(maxsize=32)
def _lexer(name: str) -> Lexer | None:
    try:
        return get_lexer_for_filename(name, stripnl=False, ensurenl=False)
    except ClassNotFound:
        return None


@lru_cache(maxsize=256)
def _ink(kind: _TokenType) -> str:
    return next((f"code-{ink}" for wanted, ink in _INKS if _is(kind, wanted)), "")


def _is(kind: _TokenType, wanted: _TokenType) -> bool:
    return kind[: len(wanted)] == wanted
