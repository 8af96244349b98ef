"""Every attack of the catalogue has a test, or a reason why it has none; the page says which."""

import pytest

from tests.support.attacks import BEGIN, END, PAGE, catalogue, page, shown


def test_every_attack_is_shown_or_has_a_reason_not_to_be() -> None:
    written = catalogue()
    assert written.attacks.keys() - shown().keys() == written.not_yet_shown.keys()


def test_every_test_names_an_attack_of_the_catalogue() -> None:
    assert shown().keys() - catalogue().attacks.keys() == set()


@pytest.mark.parametrize(("prefix", "count"), [("G", 39), ("C", 17), ("N", 14), ("U", 4), ("X", 7)])
def test_no_attack_was_dropped(prefix: str, count: int) -> None:
    assert len([one for one in catalogue().attacks if one.startswith(prefix)]) == count


def test_the_page_says_what_the_suite_says() -> None:
    # Draw it again with: python -m tests.support.attacks
    text = PAGE.read_text(encoding="utf-8")
    assert (BEGIN in text, END in text) == (True, True)
    assert text == page()
