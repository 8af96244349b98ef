"""The reference pages say what the program says."""

import pytest

from tests.support.reference import DOCS, PAGES


@pytest.mark.parametrize("name", PAGES)
def test_a_reference_page_is_what_the_program_says(name: str) -> None:
    # Draw it again with: python -m tests.support.reference
    assert (DOCS / name).read_text(encoding="utf-8") == PAGES[name]()


@pytest.mark.parametrize("name", PAGES)
def test_a_reference_page_is_complete(name: str) -> None:
    assert "None" not in PAGES[name]()
