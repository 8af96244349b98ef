"""Names, links and repositories in the tree: what deceives a person, or leads elsewhere, is not let out."""

import subprocess
from pathlib import Path

import pytest

from app.repo.errors import SnapshotRefused
from app.repo.names import free_branch_name
from app.repo.scribe import Pack
from tests.support.attacks import attack
from tests.support.exchange import RACE, exchange
from tests.support.repos import make_repository, put, run_git
from tests.support.siege import Siege, changed, confirmed, rules, sh

pytestmark = [pytest.mark.docker, pytest.mark.asyncio(loop_scope="module")]


def evil_repository(siege: Siege, where: str) -> str:
    """Makes a repository in which plain `git status` runs the payload."""
    return f"""
        git init --quiet {where} && cd {where} && touch file && git add file
        git -c user.name=a -c user.email=a commit --quiet --message x
        git config core.fsmonitor '{siege.payload()}'
        """


@attack("G06")
async def test_a_repository_in_the_tree_is_blocked_and_never_entered(siege: Siege) -> None:
    await siege.attack(evil_repository(siege, "sub"))
    async with siege.naive() as host:
        host.git("add", "--all")
        assert host.fires("status") == {"hit"}
    assert ("block", "gitlink") in rules(await siege.look())
    assert not (siege.copy / "sub").exists()


@attack("G07")
async def test_a_submodule_swapped_for_another_repository_is_blocked(siege: Siege) -> None:
    await siege.attack(evil_repository(siege, "vendor/lib"))
    async with siege.naive() as host:
        assert host.fires("status") == {"hit"}
    assert ("block", "gitlink") in rules(await siege.look())
    await siege.act("rm -rf vendor/lib; mkdir vendor/lib")
    assert changed(await siege.look()) == ["src/app.py"]  # put back is put back


@attack("G07")
@pytest.mark.parametrize(
    "module",
    [
        '[submodule "x"]\n\tpath = x\n\turl = -u./x\n',
        '[submodule "../../x"]\n\tpath = x\n\turl = https://example.org/x\n',
        '[submodule "x"]\n\tpath = x\n\turl = https://example.org/x\n\tupdate = !true\n',
    ],
    ids=["option", "name", "command"],
)
async def test_submodules_that_would_run_something_are_refused(siege: Siege, module: str) -> None:
    await siege.attack(f"cat > .gitmodules <<'END'\n{module}END")
    async with siege.naive() as host:
        host.git("add", "--all")  # plain git takes it without a word
        assert host.git("diff", "--cached", "--name-only", "--", ".gitmodules")
    with pytest.raises(SnapshotRefused, match="gitmodules"):
        await siege.look()


@attack("G07")
async def test_a_submodule_that_names_a_command_wants_a_confirmation(siege: Siege) -> None:
    module = f'[submodule "x"]\n\tpath = x\n\turl = ext::sh -c "{siege.payload()}"\n'
    await siege.attack(f"printf '{module}' > .gitmodules")
    run_git(
        siege.user,
        *("-c", "protocol.ext.allow=always", "ls-remote"),
        f"ext::{siege.payload()}",
        check=False,
    )
    assert siege.marked == {"hit"}
    assert confirmed(await siege.look()) == {".gitmodules"}


@attack("G08")
@pytest.mark.parametrize("common", [".", "y"], ids=["bare", "commondir"])
async def test_a_directory_that_git_takes_for_a_repository_is_blocked(
    siege: Siege, common: str
) -> None:
    await siege.attack(f"""
        mkdir -p docs/x/{common}/refs docs/x/{common}/objects
        touch docs/x/{common}/refs/k docs/x/{common}/objects/k
        echo 'ref: refs/heads/main' > docs/x/HEAD
        [ {common} = . ] || echo {common} > docs/x/commondir
        git config --file docs/x/{common}/config core.sshCommand '{siege.payload()}'""")
    async with siege.naive() as host:
        assert host.fires("ls-remote", "ssh://example.org/x", where="docs/x") == {"hit"}
    assert ("block", "bare") in rules(await siege.look())


@attack("G16")
@pytest.mark.parametrize(
    "link",
    [
        "ln -s {secret} link",
        "ln -s ../../../../../../../../../..{secret} link",
        "mv src elsewhere; ln -s {parent} src",
        "ln -s .git/config link",
    ],
    ids=["absolute", "up", "directory", "git"],
)
async def test_a_link_out_of_the_tree_is_blocked_and_not_followed(siege: Siege, link: str) -> None:
    put(siege.root, {"secret/key": "hunter2\n"})
    secret = siege.root / "secret" / "key"
    await siege.attack(link.format(secret=secret, parent=secret.parent))
    async with siege.naive() as host:
        leaked = [path for path in host.path.glob("*") if path.is_symlink() and path.exists()]
    assert leaked
    assert ("block", "link") in rules(await siege.look())
    assert not await siege.in_hub(run_git(siege.user, "hash-object", str(secret)))
    assert not any(path.is_symlink() for path in siege.copy.rglob("*"))


@attack("G16")
async def test_a_harmless_link_is_laid_out_as_a_plain_file(siege: Siege) -> None:
    await siege.attack("ln -s src/app.py link")
    snapshot = await siege.look()
    assert ("warn", "symlink") in rules(snapshot)
    link = siege.copy / "link"
    assert (link.is_symlink(), link.read_text()) == (False, "src/app.py")


@attack("G17")
async def test_a_link_exchanged_for_a_file_at_the_right_moment_leaks_nothing(siege: Siege) -> None:
    put(siege.root, {"race/secret": "hunter2 race\n", "race/file": "harmless\n"})
    place = siege.root / "race"
    (place / "link").symlink_to(place / "secret")
    assert not (place / "file").is_symlink()  # a reader makes sure, and then…
    exchange(place / "file", place / "link")
    assert (place / "file").read_text() == "hunter2 race\n"
    secret = run_git(siege.user, "hash-object", str(place / "secret"))

    race = await siege.begin(f"exec python3 -c '{RACE}' 300 {place}/secret")
    async for line in race.lines():
        assert line.text == "racing"
        break
    try:
        for _ in range(4):
            await siege.snapshot()
    finally:
        await race.stop(grace=0)
    assert not await siege.in_hub(secret)
    await siege.look()


@attack("G18")
async def test_names_that_are_one_on_some_disks_are_blocked(siege: Siege) -> None:
    names = ["README.MD", "SRC/util.py", "cafe\u0301/x", "caf\u00e9/x", "src/APP.py"]
    await siege.python(_MAKE.format(names))
    async with siege.naive() as host:
        host.git("add", "--all")  # plain git takes both without a word
        assert set(names) <= set(host.git("-c", "core.quotePath=false", "ls-files").splitlines())
    blocked = {one.path for one in (await siege.look()).findings if one.rule == "paths/clash"}
    assert {"README.MD", "src/APP.py"} <= blocked
    assert {"SRC"} <= blocked
    assert blocked & {"cafe\u0301", "caf\u00e9"}


_MAKE = """
import os
for name in {!r}:
    os.makedirs(os.path.dirname(name) or os.curdir, exist_ok=True)
    open(name, "w").write("x\\n")
"""


@attack("G19")
@pytest.mark.parametrize("name", [".GIT", "git~1", ".g\u200cit", ".git."], ids=ascii)
async def test_another_spelling_of_the_git_directory_is_not_let_in(siege: Siege, name: str) -> None:
    await siege.attack(f"mkdir '{name}'; printf '[core]\\n\\tfsmonitor = x\\n' > '{name}/config'")
    with pytest.raises(SnapshotRefused):
        await siege.let_in(forged(siege, name.encode(), directory=True))
    try:
        assert changed(await siege.look()) == ["src/app.py"]  # not even seen,
    except SnapshotRefused as refused:
        assert "hasDotgit" in refused.message  # noqa: PT017 - or refused; either will do


@attack("G19")
@pytest.mark.parametrize("name", [b"..", b".", b"a/b", b".git", b""], ids=ascii)
async def test_a_forged_tree_is_refused(siege: Siege, name: bytes) -> None:
    siege.again()
    pack = forged(siege, name)
    with pytest.raises(SnapshotRefused):
        await siege.let_in(pack)
    assert not await siege.in_hub(pack.tree)


def forged(siege: Siege, name: bytes, *, directory: bool = False) -> Pack:
    """A pack with a tree that git itself would never write."""
    forge = siege.root / f"forge-{siege.run}"
    make_repository(forge)
    blob = run_git(forge, "hash-object", "-w", "--stdin", stdin=b"forged\n")
    entries = [(b"100644", name, blob)]
    if directory:
        inner = write_tree(forge, b"100644", b"config", blob)
        entries = [(b"40000", name, inner)]
    tree = write_tree(forge, *entries[0])
    wanted = "".join(f"{one}\n" for one in {blob, entries[0][2], tree})
    done = subprocess.run(
        ["git", "pack-objects", "--stdout", "-q"],
        cwd=forge,
        input=wanted.encode(),
        capture_output=True,
        check=True,
    )
    run_git(forge, "index-pack", "--stdin", stdin=done.stdout)  # plain git takes it without a word
    return Pack(tree=tree, data=done.stdout)


def write_tree(forge: Path, mode: bytes, name: bytes, identifier: str) -> str:
    entry = mode + b" " + name + b"\0" + bytes.fromhex(identifier)
    return run_git(forge, "hash-object", "-w", "-t", "tree", "--literally", "--stdin", stdin=entry)


@attack("G20")
async def test_names_that_deceive_are_blocked(siege: Siege) -> None:
    names = ["a\x1b]0;x\x07b", "a\nb", "a\u202eb", "a\u200bb", b"\xff"]
    await siege.python(_MAKE.format(names))
    async with siege.naive() as host:
        raw = host.git("ls-files", "--others", "-z")  # what any tool prints
    assert {"\x1b", "\n", "\u202e", "\u200b", "\\xff"} <= {sign for sign in SIGNS if sign in raw}
    snapshot = await siege.look()
    blocked = {one.path for one in snapshot.findings if one.rule == "paths/name"}
    assert len(blocked) == len(names)
    assert all(path.isprintable() for path in changed(snapshot))


SIGNS = ("\x1b", "\n", "\u202e", "\u200b", "\\xff")


@attack("G20")
async def test_names_that_look_like_options_are_only_names(siege: Siege) -> None:
    names = ["$(touch x)", "--upload-pack=touch x", "--version", "-rf"]
    await siege.python(_MAKE.format(names))
    async with siege.naive() as host:
        assert "coreutils" in host.sh("cat *version")  # an option, to who is not careful
    snapshot = await siege.look()
    assert changed(snapshot) == [*names, "src/app.py"]
    assert [(siege.copy / name).read_text() for name in names] == ["x\n"] * 4


@attack("G37")
@pytest.mark.parametrize(
    "title", ["$(touch {})", "a\u3000b; touch {}", "-x", "a..b~^:", "`touch {}`"]
)
async def test_a_title_becomes_a_plain_name(siege: Siege, title: str) -> None:
    siege.again()
    hostile = title.format(siege.marks / "hit")
    if "touch" in title:
        sh(siege.root, f"echo {hostile}")
        assert siege.marked == {"hit"}
    name = await free_branch_name(siege.repo, hostile, siege.run)
    assert name.isascii()
    assert set(name.removeprefix("swarm/")) <= set("abcdefghijklmnopqrstuvwxyz0123456789-")
    run_git(siege.user, "check-ref-format", "--branch", name)
    assert siege.marked == set()
