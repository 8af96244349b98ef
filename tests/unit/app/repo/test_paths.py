from collections.abc import Iterable

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.domain.policy import ChangePolicy
from app.repo import paths
from app.repo.filenames import shown
from app.repo.paths import Entry, judge

MODES = st.sampled_from(["000000", "100644", "100755", "120000", "160000"])
NAMES = st.binary(min_size=1, max_size=20)
ENTRIES = st.lists(
    st.builds(
        Entry,
        status=st.sampled_from(["A", "M", "D", "T"]),
        old_mode=MODES,
        new_mode=MODES,
        path=NAMES,
        link=st.none() | NAMES,
        size=st.integers(0, 2**40),
        binary=st.booleans(),
    ),
    max_size=5,
)


def added(path: bytes, mode: str = "100644", **about: object) -> Entry:
    entry = {"status": "A", "old_mode": "000000", "new_mode": mode, "path": path, **about}
    return Entry(**entry)  # type: ignore[arg-type]


def changed(path: bytes, old: str = "100644", new: str = "100644", status: str = "M") -> Entry:
    return Entry(status=status, old_mode=old, new_mode=new, path=path)  # type: ignore[arg-type]


def rules(entries: Iterable[Entry], names: Iterable[bytes] = ()) -> list[tuple[str, str]]:
    found = judge(entries, names)
    return [(finding.severity, finding.rule.removeprefix("paths/")) for finding in found]


@settings(deadline=None)
@given(ENTRIES, st.lists(NAMES, max_size=10))
def test_anything_gets_a_verdict_and_the_gravest_comes_first(
    entries: list[Entry], names: list[bytes]
) -> None:
    order = [paths._ORDER[finding.severity] for finding in judge(entries, names)]
    assert order == sorted(order)


@settings(deadline=None)
@given(ENTRIES)
def test_every_finding_names_a_path_that_can_be_shown(entries: list[Entry]) -> None:
    names = {shown(entry.path) for entry in entries}
    assert {finding.path for finding in judge(entries)} <= names


@settings(deadline=None)
@given(st.sampled_from([b".github/workflows/ci.yml", b"a/.vscode/x", b"Makefile", b"CLAUDE.md"]))
def test_case_makes_no_difference_to_what_is_sensitive(path: bytes) -> None:
    assert rules([changed(path.swapcase())]) == rules([changed(path)]) == [("confirm", "sensitive")]


@pytest.mark.parametrize("path", [b"/", b"//", b"/a", b"a//b", b"a/"])
def test_a_forged_path_gets_a_verdict_too(path: bytes) -> None:
    assert rules([added(path)], [path]) == []


def test_an_ordinary_change_is_silent() -> None:
    assert rules([changed(b"src/app.py"), added(b"src/new.py")], [b"src", b"src/new.py"]) == []


def test_a_gitlink_is_blocked() -> None:
    assert ("block", "gitlink") in rules([added(b"sub", "160000")])


def test_a_removed_submodule_is_a_warning() -> None:
    assert rules([changed(b"sub", "160000", "000000", "D")]) == [("warn", "submodule")]


def test_a_link_out_of_the_tree_is_blocked() -> None:
    assert ("block", "link") in rules([added(b"a", "120000", link=b"../x")])


def test_a_link_inside_is_a_warning() -> None:
    assert rules([added(b"a", "120000", link=b"b")]) == [("warn", "symlink")]


def test_a_file_that_becomes_a_link_is_looked_at_too() -> None:
    turned = Entry(status="T", old_mode="100644", new_mode="120000", path=b"a", link=b"/etc/passwd")
    assert rules([turned])[0] == ("block", "link")


def test_a_new_name_with_an_escape_sequence_is_blocked_and_spelt_out() -> None:
    (finding,) = judge([added(b"a\x1b[2J")])
    assert (finding.severity, finding.path) == ("block", "a\\x1b[2J")


def test_an_odd_name_the_user_had_already_is_theirs() -> None:
    assert rules([changed("a\u200bb".encode())]) == []


@pytest.mark.parametrize(
    ("new", "names"),
    [
        (b"README.MD", [b"README.md", b"README.MD"]),
        (b"SRC/x.py", [b"src", b"src/x.py", b"SRC", b"SRC/x.py"]),
        (b"SRC/y.py", [b"src", b"src/x.py", b"SRC", b"SRC/y.py"]),
        ("cafe\u0301".encode(), ["caf\u00e9".encode(), "cafe\u0301".encode()]),
    ],
)
def test_names_that_clash_on_some_disks_are_blocked(new: bytes, names: list[bytes]) -> None:
    assert ("block", "clash") in rules([added(new)], names)


def test_a_clash_the_user_had_already_is_theirs() -> None:
    assert rules([added(b"new.py")], [b"A", b"a", b"new.py"]) == []


@pytest.mark.parametrize("mark", [b"refs", b"objects", b"commondir"])
@pytest.mark.parametrize("place", [b"", b"docs/x/"])
def test_a_directory_git_would_take_for_a_repository_is_blocked(place: bytes, mark: bytes) -> None:
    names = [place + b"HEAD", place + mark, place + mark + b"/keep"]
    assert ("block", "bare") in rules([added(place + b"HEAD")], names)


def test_a_file_called_head_alone_is_no_repository() -> None:
    assert rules([added(b"docs/HEAD")], [b"docs", b"docs/HEAD"]) == []


@pytest.mark.parametrize(
    "path",
    [
        *(b".github/workflows/x.yml", b".gitlab-ci.yml", b"sub/Jenkinsfile", b".swarm/policy.yaml"),
        *(b".claude/settings.json", b"pkg/CLAUDE.md", b"AGENTS.md", b".mcp.json", b".vscode/x"),
        *(b".gitattributes", b".husky/pre-commit", b".pre-commit-config.yaml", b"lefthook.yml"),
        *(b"package.json", b"a/b/package.json", b"setup.py", b"conftest.py", b"x.pth", b"build.rs"),
        *(b"Makefile", b"Dockerfile.dev", b".envrc", b"mise.toml", b"tox.ini", b".CURSOR/mcp.json"),
    ],
)
def test_files_that_do_more_than_being_read_want_a_confirmation(path: bytes) -> None:
    assert ("confirm", "sensitive") in rules([changed(path)])


def test_removing_such_a_file_wants_one_too() -> None:
    assert rules([changed(b".github/ci.yml", new="000000", status="D")]) == [
        ("confirm", "sensitive")
    ]


@pytest.mark.parametrize("path", [b"docs/github.md", b"package.json.md", b"src/makefile.py"])
def test_files_that_only_sound_like_it_do_not(path: bytes) -> None:
    assert rules([changed(path)]) == []


def test_a_binary_file_wants_a_confirmation() -> None:
    assert rules([added(b"logo.png", binary=True)]) == [("confirm", "binary")]


def test_a_very_long_file_wants_a_confirmation() -> None:
    assert rules([added(b"data.csv", size=paths.TOO_LONG_TO_READ + 1)]) == [("confirm", "long")]


def test_a_changed_mode_is_a_warning() -> None:
    assert rules([changed(b"run.sh", "100644", "100755")]) == [("warn", "mode")]


def test_a_new_program_is_a_warning() -> None:
    assert rules([added(b"run.sh", "100755")]) == [("warn", "executable")]


def test_what_was_left_out_is_a_warning() -> None:
    (finding,) = paths.left_out(["big.bin"])
    assert (finding.severity, finding.path) == ("warn", "big.bin")


def told(path: bytes, **policy: tuple[str, ...]) -> list[tuple[str, str]]:
    found = judge([changed(path)], (), ChangePolicy(**policy))
    return [(finding.severity, finding.rule.removeprefix("paths/")) for finding in found]


@pytest.mark.parametrize("severity", ["block", "confirm", "warn"])
def test_a_configured_path_is_told_as_the_configuration_says(severity: str) -> None:
    assert told(b"src/Auth/keys.py", **{severity: ("src/auth/",)}) == [
        (severity, f"config-{severity}")
    ]


def test_of_two_configured_rules_the_strictest_counts() -> None:
    assert told(b"a.sql", warn=("*.sql",), block=("a*",), confirm=("a.sql",)) == [
        ("block", "config-block")
    ]


def test_what_a_user_allows_is_not_swarms_to_ask_about() -> None:
    assert told(b"docs/Makefile", allow=("docs/**",)) == []


def test_allowing_one_path_leaves_the_others() -> None:
    assert told(b"Makefile", allow=("docs/**",)) == [("confirm", "sensitive")]


def test_a_configured_block_outranks_an_allowance() -> None:
    assert told(b"Makefile", allow=("*",), block=("Makefile",)) == [("block", "config-block")]


@pytest.mark.parametrize(
    "entry",
    [
        added(b"sub", "160000"),
        added(b"out", "120000", link=b"../../etc"),
        added(b"a\x1b[2Jb"),
        added(b"README"),
        added(b"x/HEAD"),
    ],
)
def test_what_git_or_eyes_would_be_fooled_by_cannot_be_configured_away(entry: Entry) -> None:
    names = [b"readme", b"README", b"x", b"x/HEAD", b"x/refs"]
    everything = ChangePolicy(allow=("*", "**", "/"), warn=("*",))
    assert judge([entry], names, everything)[0].severity == "block"
