"""A person's own keys, put into the one table that dispatch, footer, help and palette are made from."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from difflib import get_close_matches
from itertools import combinations
from typing import Final

from textual.keys import Keys

from app.tui.actions import ACTIONS, PLACES, SHIPPED_KEYS, Action, Place
from app.tui.keymap import key_name

_NAMED: Final = {key.value for key in Keys if "<" not in key.value} | {"comma"}
_MODIFIERS: Final = ("ctrl+", "alt+", "shift+")
_TAKEN: Final = {"ctrl+c": "says how to leave, so that nobody leaves by mistake"}
_FOCUSED: Final[tuple[Place, ...]] = ("list",)
"""What has the focus on every screen hears a key before its screen does."""
_ALONE: Final[tuple[Place, ...]] = ("question", "approval", "form", "dialog", "files")
"""Places whose keys shadow those of a screen on purpose."""

Table = tuple[Action, ...]


def rebound(
    wishes: Mapping[str, tuple[str, ...]], origins: Mapping[str, str]
) -> tuple[Table, list[str]]:
    """The table with these keys, and what is wrong with them; with any fault, the table as it is shipped.

    A wish names an action, or one at a place: `approve`, `review.copy`.
    """
    table: Table = ACTIONS
    faults: list[str] = []
    for name, keys in sorted(wishes.items(), key=lambda wish: "." in wish[0]):
        found = list(_faults(name, keys))
        faults += [f"{origins.get(name) or 'screen.keys'}: {name} {fault}" for fault in found]
        if not found:
            table = tuple(_with_keys(table, name, tuple(_plain(key) for key in keys)))
    if not faults:
        faults = sorted(set(_clashes(table)))
    return (ACTIONS, faults) if faults else (table, [])


def keymap(table: Table) -> dict[str, str]:
    """What Textual is told: keys by the ids of the bindings that `keymap.bindings` made."""
    told: dict[str, str] = {}
    for action in table:
        for place in action.places:
            shipped = SHIPPED_KEYS[place, action.id]
            if action.keys != shipped:
                keys = ",".join("comma" if key == "," else key for key in action.keys)
                told |= {f"{place}.{action.id}.{number}": keys for number in range(len(shipped))}
    return told


def _faults(name: str, keys: tuple[str, ...]) -> Iterator[str]:
    place, _, id_ = name.rpartition(".")
    known = sorted({action.id for action in ACTIONS if not place or place in action.places})
    if place and place not in PLACES:
        yield "names no place" + _nearest(place, PLACES)
    elif id_ not in known:
        yield f"is no action{' there' if place else ''}" + _nearest(id_, known)
    if not keys:
        yield "has no key; name at least one"
    for key in keys:
        yield from _fault_of_key(key)


def _fault_of_key(key: str) -> Iterator[str]:
    plain = _plain(key)
    bare = plain
    while modifier := next((m for m in _MODIFIERS if bare.startswith(m)), ""):
        bare = bare.removeprefix(modifier)
    if plain in _TAKEN:
        yield f"cannot have {key}, which {_TAKEN[plain]}"
    elif not (len(bare) == 1 and bare.isprintable()) and plain not in _NAMED and bare not in _NAMED:
        yield f"has {key!r}, which is no key" + _nearest(plain, _NAMED)


def _with_keys(table: Table, name: str, keys: tuple[str, ...]) -> Iterator[Action]:
    """The table with those keys for that action; at one place only when it is named."""
    place, _, id_ = name.rpartition(".")
    for action in table:
        if action.id != id_ or (place and place not in action.places):
            yield action
            continue
        if rest := tuple(each for each in action.places if place and each != place):
            yield replace(action, places=rest)
        here = tuple(each for each in action.places if not place or each == place)
        yield replace(action, places=here, keys=keys)


def _clashes(table: Table) -> Iterator[str]:
    for place in PLACES:
        beside = (place,) if place in (*_ALONE, *_FOCUSED) else (place, *_FOCUSED)
        heard = [
            (action, key)
            for action in table
            if set(beside) & set(action.places)
            for key in action.keys
        ]
        for (one, key), (two, other) in combinations(heard, 2):
            if key == other and one is not two:
                yield (
                    f"screen.keys: {key_name(key)} would mean both {one.id} ({one.label}) and "
                    f"{two.id} ({two.label}) {PLACES[place].lower()}; give one of them another key"
                )


def _plain(key: str) -> str:
    """As the table writes it: `^d` and `Ctrl+D` are `ctrl+d`."""
    key = key.strip() or key
    if len(key) == 2 and key[0] == "^":
        return f"ctrl+{key[1].lower()}"
    if len(key) > 1:
        *before, last = key.split("+") if not key.endswith("+") else [key]
        return "+".join([*(part.lower() for part in before), last if before else last.lower()])
    return key


def _nearest(text: str, known: Iterable[str]) -> str:
    near = get_close_matches(text, [*known], n=1, cutoff=0.5)
    return f"; did you mean {near[0]!r}?" if near else ""
