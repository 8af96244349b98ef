"""Trojan Source and homoglyphs are told; other languages, formulas and emoji are not."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from policies.deception import spelt, tricks

TRICKS = {
    "reordered comment": ('if access != "user\u202e \u2066// admin\u2069":', "bidi"),
    "isolates": ("a = 1 \u2067# b\u2069", "bidi"),
    "right-to-left mark": ("a\u200f = 1", "bidi"),
    "zero-width space in a name": ("is\u200badmin = True", "invisible"),
    "zero-width joiner between letters": ("is\u200dadmin = True", "invisible"),
    "byte order mark in the middle": ("x = '\ufeff'", "invisible"),
    "tag characters": ("x = 1 # \U000e0041\U000e0042", "invisible"),
    "selector on a letter": ("a\ufe0f = 1", "invisible"),
    "supplementary selector": ("\U0001f600\U000e0100", "invisible"),
    "Hangul filler as a name": ("\u3164 = 1", "invisible"),
    "soft hyphen": ("pass\u00adword", "invisible"),
    "Cyrillic a": ("p\u0430ssword = 1", "mixed-script"),
    "Greek omicron": ("l\u03bfgin()", "mixed-script"),
    "full-width letter": ("adm\uff49n", "mixed-script"),
    "mathematical letter": ("def \U0001d41fetch():", "mixed-script"),
}
HONEST = {
    "German": "größe = 'Übergröße'",
    "Russian": "# Привет, мир: hello",
    "Russian and English side by side": "print('Привет world')",
    "Greek": "# Καλημέρα",
    "a formula": "Δx = σ_x * λ1 + θmax",
    "micro seconds": "10 µs or 10 μs",
    "Chinese with Latin": "使用API接口",
    "Japanese": "print('テストtest')",
    "emoji": "ok ✅ ❤️ 👩‍👩‍👧 ☎️ 1️⃣",
    "Persian with its joiner": "می‌خواهم",
    "Hindi": "क्‍ष",
    "byte order mark at the start": "\ufeffimport os",
    "box drawing": "├── src │",
    "accents": "café naïve façade Łódź",
}


@pytest.mark.parametrize("what", TRICKS)
def test_a_trick_is_told(what: str) -> None:
    line, rule = TRICKS[what]
    assert rule in [trick.rule for trick in tricks(f"first\n{line}")]


@pytest.mark.parametrize("what", HONEST)
def test_an_honest_line_is_quiet(what: str) -> None:
    assert tricks(HONEST[what]) == ()


def test_a_trick_names_its_line_and_sign() -> None:
    (found,) = tricks("one\ntwo\np\u0430ss")
    assert found.line == 2
    assert found.why == "a word of Latin letters holds U+0430, cyrillic small letter a"


@given(st.text(st.characters(), max_size=60))
def test_what_is_told_of_any_text_can_be_shown(text: str) -> None:
    assert all(trick.why.isascii() and trick.why.isprintable() for trick in tricks(text))


def test_only_the_letters_that_pass_for_others_are_spelt() -> None:
    assert spelt("p\u0430ss = Привет + Δx") == "p<U+0430>ss = Привет + Δx"


@given(st.text(st.characters(), max_size=60))
def test_spelling_twice_changes_nothing_more(text: str) -> None:
    assert spelt(spelt(text)) == spelt(text)
