"""Secrets and tricks in the lines a change adds, found by real git and told with file and line."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.domain.policy import ChangePolicy
from app.domain.review import Finding
from app.repo import content
from app.repo.changes import compare
from app.repo.content import Added, judge, parse
from app.repo.git import Git
from app.repo.process import Bounds
from policies.secrets import fingerprint
from tests.support.leaks import AWS_SECRET, PRIVATE_KEY, SECRETS
from tests.support.repos import commit, make_repository, put, run_git

TOKEN = SECRETS["github-token"]
ALLOWED = ChangePolicy(secrets=(fingerprint("github-token", TOKEN),))


def added(*lines: str, path: bytes = b"a.py") -> Added:
    return Added(path, lines, tuple(range(1, len(lines) + 1)))


def rules(*found: Finding) -> list[tuple[str, str]]:
    return [(finding.severity, finding.rule) for finding in found]


@pytest.fixture
def repo(tmp_path: Path) -> Path:
    return make_repository(tmp_path / "project", {"app.py": "1\n2\n3\n", "key": f"{TOKEN}\n"})


async def findings(repo: Path, policy: ChangePolicy = ChangePolicy()) -> dict[str, Finding]:  # noqa: B008
    """What is said of the working tree against its commit, by rule."""
    run_git(repo, "add", "-A")
    old = run_git(repo, "rev-parse", "HEAD^{tree}")
    new = run_git(repo, "write-tree")
    git = Git(dir=repo / ".git")
    seen = await compare(git, old.strip(), new.strip(), max_paths=1000, policy=policy)
    return {finding.rule: finding for finding in seen.findings}


async def test_a_secret_in_an_added_line_blocks_and_names_the_line(repo: Path) -> None:
    put(repo, {"app.py": f"1\n2\nnew\ntoken = '{TOKEN}'\n3\n"})
    found = (await findings(repo))["secrets/github-token"]
    assert (found.severity, found.path, found.line) == ("block", "app.py", 4)
    assert found.fingerprint == fingerprint("github-token", TOKEN)
    assert TOKEN[:8] not in found.why


async def test_a_secret_that_was_there_before_is_not_the_changes(repo: Path) -> None:
    put(repo, {"key": f"{TOKEN}\nand more\n"})
    assert await findings(repo) == {}


async def test_a_secret_that_is_taken_out_is_no_finding(repo: Path) -> None:
    put(repo, {"key": "gone\n"})
    assert await findings(repo) == {}


async def test_a_secret_in_a_binary_file_is_found(repo: Path) -> None:
    put(repo, {"data.bin": b"\0\1\2" + TOKEN.encode() + b"\0"})
    assert "secrets/github-token" in await findings(repo)


async def test_a_secret_in_a_file_with_an_odd_name_is_found_there(repo: Path) -> None:
    put(repo, {'b/ä "q"\t.py': f"{TOKEN}\n"})
    found = (await findings(repo))["secrets/github-token"]
    assert found.path == 'b/ä "q"\\x09.py'


async def test_a_private_key_is_one_finding(repo: Path) -> None:
    put(repo, {"id_rsa": PRIVATE_KEY + "\n"})
    assert list(await findings(repo)) == ["secrets/private-key"]


async def test_a_secret_the_user_allowed_is_quiet(repo: Path) -> None:
    put(repo, {"app.py": f"{TOKEN}\n"})
    assert await findings(repo, ALLOWED) == {}


async def test_a_line_that_looks_like_a_header_hides_nothing(repo: Path) -> None:
    put(repo, {"app.py": f"++ b/other.py\n@@ -1 +1 @@\ndiff --git a/x b/x\n{TOKEN}\n"})
    found = (await findings(repo))["secrets/github-token"]
    assert (found.path, found.line) == ("app.py", 4)


async def test_a_trojan_source_is_a_warning_that_says_where(repo: Path) -> None:
    put(repo, {"app.py": "1\nif a != 'user\u202e \u2066':\n"})
    found = (await findings(repo))["text/bidi"]
    assert (found.severity, found.line) == ("warn", 2)
    assert "U+202E" in found.why


async def test_a_homoglyph_is_a_warning(repo: Path) -> None:
    put(repo, {"app.py": "p\u0430ssword = 1\n"})
    assert (await findings(repo))["text/mixed-script"].severity == "warn"


async def test_a_line_that_nobody_reads_wants_a_confirmation(repo: Path) -> None:
    put(repo, {"lib.min.js": "x" * 5000 + "\n"})
    assert (await findings(repo))["text/long-line"].severity == "confirm"


async def test_a_change_of_many_files_wants_a_confirmation_of_its_own(repo: Path) -> None:
    put(repo, {f"vendor/{n}.js": f"{n}\n" for n in range(301)})
    found = (await findings(repo))["paths/large"]
    assert (found.severity, found.path) == ("confirm", ".")
    assert found.why == "301 files and 301 new lines are more than a person reads"


async def test_a_patch_too_large_to_look_through_wants_a_confirmation(
    repo: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(content, "_BOUNDS", Bounds(output=100))
    commit(repo, {"x": "x\n"}, "one")
    put(repo, {"app.py": f"{TOKEN}\n" * 10})
    assert (await findings(repo))["secrets/unread"].severity == "confirm"


def test_a_guess_is_a_warning() -> None:
    assert rules(*judge([added(f'client_secret = "{AWS_SECRET}"')], ChangePolicy())) == [
        ("warn", "secrets/unknown")
    ]


def test_in_files_the_user_trusts_only_certain_secrets_are_told() -> None:
    lines = (f'client_secret = "{AWS_SECRET}"', "p\u0430ss", "x" * 5000, TOKEN)
    found = judge([added(*lines)], ChangePolicy(allow=("*.py",)))
    assert rules(*found) == [("block", "secrets/github-token")]


def test_more_secrets_than_anybody_could_name_are_one_finding_that_nobody_can() -> None:
    lines = ["gh" + f"p_{'k7Gq2Zw9' * 4}{n:04}" for n in range(content.MOST_LEAKS + 5)]
    found = judge([added(*lines)], ChangePolicy())
    assert len(found) == content.MOST_LEAKS + 1
    assert (found[0].rule, found[0].fingerprint) == ("secrets/many", "")


@given(st.lists(st.binary(max_size=30).filter(lambda line: b"\n" not in line), max_size=8))
def test_any_patch_can_be_read(lines: list[bytes]) -> None:
    head = b"diff --git a/a b/a\n+++ b/a\n@@ -0,0 +1,%d @@\n" % len(lines)
    body = b"".join(b"+" + line + b"\n" for line in lines)
    (*all_,) = parse(head + body + b"diff --git a/b b/b\n+++ b/b\n@@ -0,0 +1 @@\n+last\n")
    assert all_[-1] == Added(b"b", ("last",), (1,))
    assert [list(one.lines) for one in all_[:-1]] == (
        [[line.decode(errors="replace") for line in lines]] if lines else []
    )
