"""Which texts are the name of a host, and nothing else."""

import ipaddress
import socket

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.domain.hosts import check_host, is_host

NAMES = (
    "pypi.org",
    "files.pythonhosted.org",
    "a-b.c1.example",
    "xn--bcher-kva.example",
    "1.example.org",
)
TRICKS = {
    "empty": "",
    "one label": "localhost",
    "a dot at the end": "pypi.org.",
    "a dot at the beginning": ".pypi.org",
    "two dots": "pypi..org",
    "capitals": "PyPI.org",
    "NUL": "pypi.org\0.evil.example",
    "end of line": "pypi.org\n",
    "space": "pypi.org ",
    "user": "pypi.org@evil.example",
    "port": "pypi.org:443",
    "path": "pypi.org/x",
    "percent": "pypi%2eorg",
    "underscore": "_x.pypi.org",
    "minus at the end of a label": "pypi-.org",
    "address": "127.0.0.1",
    "short address": "127.1",
    "number": "2130706433",
    "hexadecimal": "0x7f.0x1",
    "octal": "0177.0.0.01",
    "address of version 6": "::1",
    "in brackets": "[::ffff:127.0.0.1]",
    "wide full stop": "pypi\u3002org",
    "wide letters": "\uff50ypi.org",
    "dotless i": "p\u0131pi.org",
    "digits of another script": "pypi\u0661.org",
    "wildcard": "*.pypi.org",
    "long": "a" * 64 + ".org",
    "too long": "a." * 126 + "org",
}


@pytest.mark.parametrize("name", NAMES)
def test_a_plain_name_is_taken(name: str) -> None:
    assert check_host(name) == name


@pytest.mark.parametrize("trick", TRICKS.values(), ids=TRICKS.keys())
def test_any_other_spelling_is_refused(trick: str) -> None:
    with pytest.raises(ValueError, match="should be the full name of a host"):
        check_host(trick)


@pytest.mark.parametrize(
    "written", ["https://PyPI.org/simple", "pypi.org.", " pypi.org", "pypi.org:443", "u@pypi.org"]
)
def test_what_was_probably_meant_is_named(written: str) -> None:
    with pytest.raises(ValueError, match=r"did you mean 'pypi\.org'"):
        check_host(written)


@given(st.text(st.characters(codec="utf-8"), max_size=40) | st.from_regex(r"[0-9a-fxA-F.:]{1,40}"))
def test_what_is_taken_has_one_spelling_and_is_no_address(text: str) -> None:
    if is_host(text):
        assert text == text.lower().strip().rstrip(".")
        assert text.encode("idna") == text.encode("ascii")
        with pytest.raises(ValueError, match="does not appear"):
            ipaddress.ip_address(text)
        with pytest.raises(OSError, match="illegal"):
            socket.inet_aton(text)


@given(st.integers(0, 2**128 - 1))
def test_no_spelling_of_an_address_is_a_name(number: int) -> None:
    six = ipaddress.IPv6Address(number)
    four = ipaddress.IPv4Address(number % 2**32)
    spellings = (
        str(six),
        six.exploded,
        str(four),
        str(int(four)),
        hex(int(four)),
        f"::ffff:{four}",
    )
    assert not any(is_host(spelling) for spelling in spellings)
