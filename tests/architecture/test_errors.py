"""The app's own errors: one tree, drawn in its module, that survives every boundary it crosses."""

import pickle
from collections.abc import Iterator

import pytest

from app.domain import errors
from app.domain.errors import SwarmError, error_class


def family(root: type[SwarmError] = SwarmError) -> Iterator[type[SwarmError]]:
    yield root
    for child in root.__subclasses__():
        yield from family(child)


def domain() -> list[type[SwarmError]]:
    return [cls for cls in family() if cls.__module__ == errors.__name__]


@pytest.mark.parametrize("cls", domain())
def test_an_error_is_drawn_in_the_tree(cls: type[SwarmError]) -> None:
    assert cls.__name__ in (errors.__doc__ or "")


def test_every_kind_names_one_class() -> None:
    kinds = [cls.kind for cls in domain()]
    assert len(kinds) == len(set(kinds))


@pytest.mark.parametrize("cls", domain())
def test_a_kind_leads_back_to_its_class(cls: type[SwarmError]) -> None:
    assert error_class(cls.kind) is cls


def test_an_unknown_kind_is_some_error() -> None:
    assert error_class("of the future") is SwarmError


@pytest.mark.parametrize("cls", list(family()), ids=lambda cls: cls.__name__)
def test_an_error_survives_serialisation(cls: type[SwarmError]) -> None:
    there = pickle.loads(pickle.dumps(cls("what", hint="do")))
    assert (type(there), there.message, there.hint) == (cls, "what", "do")


@pytest.mark.parametrize("cls", list(family()), ids=lambda cls: cls.__name__)
def test_an_exit_code_is_one_of_the_contract(cls: type[SwarmError]) -> None:
    assert cls.exit_code in {1, 2, 3, 4, 5}
