"""What a recording leaves out, and what two requests may differ in and still be the same. Pure.

A recording is made to be passed on, so keys, what has the form of a secret, and the names of home directories are
taken out before it is written. A request is found again although clocks, ids and places have changed meanwhile.
"""

import hashlib
import json
import re
from collections.abc import Callable, Iterable, Iterator
from typing import Any, Final, TypeAlias

import msgspec

from policies.secrets import masked

KEY: Final = "[key]"
HOME: Final = "/home/agent"
"""Stands for everybody's home directory, as in a sandbox."""

ABSENT: Final = object()
"""What stands where one of two values has nothing."""

Scrub: TypeAlias = Callable[[str], str]
Path: TypeAlias = tuple[str | int, ...]

_HOMES: Final = (
    r"/(?:home|Users)/[A-Za-z0-9._-]+|[A-Za-z]:(?:\\){1,2}Users(?:\\){1,2}[A-Za-z0-9._-]+"
)

_VARYING: Final = (
    (re.compile(r"(?i)(?<![0-9a-f])[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}(?![0-9a-f])"), "<id>"),
    (re.compile(r"\d{4}-\d\d-\d\d(?:[T ]\d\d:\d\d(?::\d\d(?:[.,]\d+)?)?)?(?:Z|[+-]\d\d:?\d\d)?"), "<date>"),
    (re.compile(r"\b(?:(?:Mon|Tues?|Wed(?:nes)?|Thu(?:rs)?|Fri|Sat(?:ur)?|Sun)(?:day)?,? )?"
                r"(?:Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec)[a-z]* \d{1,2},? \d{4}\b"), "<date>"),
    (re.compile(r"\b\d{1,2}[/.]\d{1,2}[/.]\d{4}\b"), "<date>"),
    (re.compile(r"\b\d\d:\d\d(?::\d\d(?:\.\d+)?)?\b"), "<time>"),
    (re.compile(r"\b\d+(?:\.\d+)? ?(?:ns|µs|us|ms|s|secs?|seconds?|minutes?)\b"), "<span>"),
    (re.compile(r"\b(?:127\.0\.0\.1|localhost):\d+\b"), "<here>"),
    (re.compile(r"/(?:private/)?(?:tmp|var/folders|var/tmp)(?:/[A-Za-z0-9._+-]+)+"), "<temporary>"),
    (re.compile(r"\bswarm/[a-z0-9][a-z0-9-]*"), "<branch>"),
    (re.compile(r"\b(?=[0-9a-f]*[0-9])(?=[0-9a-f]*[a-f])[0-9a-f]{7,64}\b"), "<hash>"),
    (re.compile(r"\b(?:Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec) [ \d]\d\b"), "<date>"),
    (re.compile(r"(?i)\bpid[ =:]+\d+"), "<process>"),
    (re.compile(r"\bChunk ID: \w+"), "<chunk>"),  # Codex, above the output of a command
    (re.compile(r"\bduration_ms: \d+"), "<span>"),  # Claude Code, below the answer of a sub-agent
)  # fmt: skip
"""What changes from one run to the next and means nothing to the model: ids, clocks, places."""

_UNSAID: Final = frozenset(
    {
        *("metadata", "user", "client_metadata", "safety_identifier", "prompt_cache_key"),
        *("max_tokens", "max_output_tokens", "max_completion_tokens"),
    }
)
"""Fields of a request that are about its caller, or that the budget changes."""


def scrubber(keys: Iterable[str], home: str) -> Scrub:
    """Takes these keys, this home directory and everything that has the form of a secret out of a text."""
    exact = [re.escape(key) for key in sorted({*keys} - {""}, key=len, reverse=True)]
    known = re.compile("|".join(exact) or r"(?!)")
    own = [re.escape(home)] if home not in ("", "/", "/root") else []
    homes = re.compile("|".join([*own, _HOMES]))

    def scrub(text: str) -> str:
        return masked(homes.sub(HOME, known.sub(KEY, text)))

    return scrub


def scrubbed(value: Any, scrub: Scrub) -> Any:
    """The same with every text in it scrubbed."""
    if isinstance(value, str):
        return scrub(value)
    if isinstance(value, list):
        return [scrubbed(each, scrub) for each in value]
    if isinstance(value, dict):
        return {scrub(name): scrubbed(each, scrub) for name, each in value.items()}
    return value


def scrubbed_reply(body: str, scrub: Scrub) -> str:
    """A reply, streamed or whole, without secrets: not even one that comes in pieces of several events."""
    lines = body.split("\n")
    events = {n: event for n, line in enumerate(lines) if (event := _event(line)) is not None}
    pieces: dict[object, list[tuple[int, Path]]] = {}
    for number, event in events.items():
        for path, group in _pieces(event, (event.get("type"),), ()):
            pieces.setdefault((group, path), []).append((number, path))
    for places in pieces.values():
        text = "".join(_at(events[number], path) for number, path in places)
        clean = scrub(text)
        if clean != text:
            for index, (number, path) in enumerate(places):
                _put(events[number], path, "" if index else clean)
                lines[number] = f"data: {json.dumps(events[number], ensure_ascii=False)}"
    return scrub("\n".join(lines))


def _event(line: str) -> dict[str, Any] | None:
    if not line.startswith("data:"):
        return None
    try:
        event = json.loads(line[5:])
    except ValueError:
        return None
    return event if isinstance(event, dict) else None


_PLACES: Final = ("index", "output_index", "content_index", "summary_index", "item_id")


def _pieces(value: Any, group: tuple[object, ...], path: Path) -> Iterator[tuple[Path, object]]:
    """Texts below a `delta`, or Gemini's `parts`, which go on in the next event of the same group."""
    is_part = "parts" in path and path[-1] == "text"
    if isinstance(value, str) and ("delta" in path or is_part):
        yield path, group
    elif isinstance(value, dict):
        group = (*group, *(value.get(name) for name in _PLACES))
        for name, each in value.items():
            yield from _pieces(each, group, (*path, name))
    elif isinstance(value, list):
        for index, each in enumerate(value):
            yield from _pieces(each, group, (*path, index))


def _at(value: Any, path: Path) -> str:
    for step in path:
        value = value[step]
    return str(value)


def _put(value: Any, path: Path, text: str) -> None:
    for step in path[:-1]:
        value = value[step]
    value[path[-1]] = text


def normalised(request: Any) -> Any:
    """A request as it is compared: without what differs between two runs of the same work."""
    if isinstance(request, dict):
        request = {name: each for name, each in request.items() if name not in _UNSAID}
    return _normalised(request)


def _normalised(value: Any) -> Any:
    if isinstance(value, str):
        for pattern, stand_in in _VARYING:
            value = pattern.sub(stand_in, value)
        return value
    if isinstance(value, list):
        return [_normalised(each) for each in value]
    if isinstance(value, dict):
        return {name: _normalised(each) for name, each in value.items()}
    return value


def digest(place: str, request: Any) -> str:
    """The name of a normalised request."""
    encoded = msgspec.json.encode([place, request], order="deterministic")
    return hashlib.sha256(encoded).hexdigest()


def difference(recorded: Any, asked: Any, path: Path = ()) -> tuple[Path, Any, Any] | None:
    """Where two values begin to differ, and both there; None when they are equal."""
    if isinstance(recorded, dict) and isinstance(asked, dict):
        names: Iterable[str | int] = sorted({*recorded, *asked})
        return _first(((n, recorded.get(n, ABSENT), asked.get(n, ABSENT)) for n in names), path)
    if isinstance(recorded, list) and isinstance(asked, list):
        short = min(len(recorded), len(asked))
        found = _first(((n, recorded[n], asked[n]) for n in range(short)), path)
        if found is None and len(recorded) != len(asked):
            return (*path, short), recorded[short:][:1], asked[short:][:1]
        return found
    return None if recorded == asked else (path, recorded, asked)


def _first(pairs: Iterable[tuple[str | int, Any, Any]], path: Path) -> tuple[Path, Any, Any] | None:
    found = (difference(one, other, (*path, name)) for name, one, other in pairs)
    return next((each for each in found if each is not None), None)
