"""Secrets are found by their shape and named without being told; what only looks like one stays quiet."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from policies.secret_kinds import KINDS
from policies.secrets import Leak, fingerprint, masked, scan
from tests.support.leaks import AWS_SECRET, LOOK_ALIKES, PRIVATE_KEY, SECRETS

FORMS = {
    "quoted": 'key = "{}"',
    "in single quotes": "key = '{}'",
    "unquoted": "KEY={}",
    "in YAML": "  key: {}",
    "in prose": "Use {} for now.",
}


def only(text: str) -> Leak:
    (found,) = scan(text)
    return found


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("kind", SECRETS)
def test_a_typed_secret_is_certain(kind: str, form: str) -> None:
    found = only(FORMS[form].format(SECRETS[kind]))
    assert (found.kind, found.certain) == (kind, True)


@pytest.mark.parametrize("what", LOOK_ALIKES)
def test_what_only_looks_like_a_secret_is_quiet(what: str) -> None:
    assert scan(LOOK_ALIKES[what]) == ()


@pytest.mark.parametrize("kind", SECRETS)
def test_nothing_of_a_finding_tells_the_secret(kind: str) -> None:
    found = only(SECRETS[kind])
    told = f"{found.masked} {found.fingerprint} {found.title}"
    assert all(SECRETS[kind][at : at + 9] not in told for at in range(len(SECRETS[kind]) - 9))


@pytest.mark.parametrize("indent", ["", "    "])
def test_a_private_key_is_one_secret_over_many_lines(indent: str) -> None:
    text = "a\n" + "\n".join(indent + line for line in PRIVATE_KEY.split("\n")) + "\nb"
    found = only(text)
    assert (found.kind, found.line, found.certain) == ("private-key", 1, True)


def test_a_private_key_is_found_by_its_first_line_alone() -> None:
    assert only(PRIVATE_KEY.split("\n")[0]).kind == "private-key"


def test_a_private_key_on_one_line_is_found() -> None:
    assert only('{"private_key": "' + PRIVATE_KEY.replace("\n", "\\n") + '"}').certain


def test_the_secret_half_of_an_aws_key_is_found_by_its_name() -> None:
    assert only(f'aws_secret_access_key = "{AWS_SECRET}"').kind == "aws-secret-key"


@pytest.mark.parametrize(
    "line",
    [
        f'client_secret = "{AWS_SECRET}"',
        f"DB_PASSWORD={AWS_SECRET[:16]}",
        f"x-api-key: {AWS_SECRET}",
        f'"{AWS_SECRET}"',
        "postgres://scott:tiger@localhost/shop",
    ],
)
def test_what_has_no_type_is_a_guess(line: str) -> None:
    assert not only(line).certain


def test_without_guessing_only_certain_secrets_are_found() -> None:
    assert scan(f'client_secret = "{AWS_SECRET}"', guess=False) == ()


def test_the_same_secret_twice_is_one_finding_at_its_first_line() -> None:
    token = SECRETS["github-token"]
    assert only(f"\na = '{token}'\nb = '{token}'\n").line == 1


def test_a_fingerprint_is_the_same_wherever_the_secret_stands() -> None:
    token = SECRETS["npm-token"]
    assert only(f"x={token}").fingerprint == only(f'\n\n"{token}"').fingerprint


def test_other_secrets_have_other_fingerprints() -> None:
    assert fingerprint("jwt", "a") != fingerprint("jwt", "b") != fingerprint("npm-token", "b")


@pytest.mark.parametrize("kind", SECRETS)
def test_masking_takes_the_secret_out_and_leaves_the_rest(kind: str) -> None:
    text = masked(f"before '{SECRETS[kind]}' after")
    assert f"<{only(SECRETS[kind]).fingerprint}>" in text
    assert (text[:7], text[-6:]) == ("before ", " after")
    assert [leak for leak in scan(text) if leak.certain] == []


def test_masking_takes_a_whole_private_key_out() -> None:
    text = masked(f"a\n{PRIVATE_KEY}\nb")
    assert text == f"a\n<{fingerprint('private-key', PRIVATE_KEY)}>\nb"


def test_what_a_person_allowed_is_not_masked() -> None:
    token = SECRETS["gitlab-token"]
    assert masked(token, allowed=[fingerprint("gitlab-token", token)]) == token


@given(st.text(max_size=200))
def test_any_text_can_be_scanned_and_masked_again(text: str) -> None:
    once = masked(text)
    assert masked(once) == once
    assert all(0 <= leak.line <= text.count("\n") for leak in scan(text))


def test_every_kind_has_a_mark_its_own_shape_holds() -> None:
    assert all(kind.marks and all(mark == mark.lower() for mark in kind.marks) for kind in KINDS)
    assert len({kind.name for kind in KINDS}) == len(KINDS)
