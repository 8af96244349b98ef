"""What is in the files: hidden changes, odd encodings, floods, pipes, and files that do more than being read."""

import pytest

from app.domain.safe import clean
from app.repo import changes
from app.repo.errors import SnapshotRefused
from app.repo.process import Bounds
from app.repo.scribe import take
from app.repo.tree import export, mounts
from tests.support.attacks import attack
from tests.support.boxes import ran
from tests.support.repos import run_git
from tests.support.siege import Siege, changed, confirmed, rules, sh

pytestmark = [pytest.mark.docker, pytest.mark.asyncio(loop_scope="module")]


@attack("G13")
@pytest.mark.parametrize("attribute", ["-diff", "diff=none"])
async def test_an_attribute_does_not_hide_a_change(siege: Siege, attribute: str) -> None:
    hide = "git config diff.none.binary true;" if "none" in attribute else ""
    await siege.attack(
        f"{hide} echo '*.py {attribute}' > .gitattributes; echo 'back = door' >> src/app.py"
    )
    async with siege.naive() as host:
        assert "door" not in host.git("diff", "HEAD")
    snapshot = await siege.look()
    assert "+back = door" in await siege.diff(snapshot)
    assert confirmed(snapshot) == {".gitattributes"}


@attack("G14")
@pytest.mark.parametrize(
    ("attribute", "written"),
    [
        ("working-tree-encoding=UCS-2LE", "plain words\n".encode("utf-16-le")),
        ("eol=crlf", b"plain words\r\n"),
        ("ident", b"$Id: plain words $\n"),
    ],
    ids=["encoding", "line-ends", "keyword"],
)
async def test_what_is_stored_is_what_is_reviewed(
    siege: Siege, attribute: str, written: bytes
) -> None:
    await siege.python(
        f"open('.gitattributes', 'w').write('words.txt {attribute}\\n')\n"
        f"open('words.txt', 'wb').write({written!r})"
    )
    async with siege.naive() as host:
        host.git("add", "--all")
        on_disk = (host.path / "words.txt").read_bytes()
        assert host.git("cat-file", "blob", ":words.txt").encode() + b"\n" != on_disk
    snapshot = await siege.look()
    assert confirmed(snapshot) == {".gitattributes"}
    stored = await siege.hub.git().run("cat-file", "blob", f"{snapshot.tree}:words.txt")
    assert f"+{stored.decode()}" in await siege.diff(snapshot)


@attack("G15")
async def test_an_attribute_does_not_make_a_conflict_disappear(siege: Siege) -> None:
    mine = {"src/app.py": "def add(a, b):\n    return sum((a, b))\n"}
    siege.branch("g15", mine)
    await siege.attack("echo '* merge=union' > .gitattributes")
    async with siege.naive() as host:
        run_git(host.path, "add", "--all")
        run_git(host.path, "commit", "--quiet", "--message", "x")
        run_git(host.path, "fetch", "--quiet", str(siege.user), "g15")
        merged = host.git("merge", "--quiet", "--no-edit", "FETCH_HEAD")
        assert "CONFLICT" not in merged
        assert "sum(" in (host.path / "src" / "app.py").read_text()
    proposal = await siege.propose(await siege.look(), "g15")
    assert (proposal.conflicts, proposal.result_tree) == (("src/app.py",), "")


@attack("G21")
async def test_escape_sequences_of_the_agent_do_not_reach_a_terminal(siege: Siege) -> None:
    title = "\\033]0;owned\\007"
    await siege.attack(f"""
        printf 'x = 1  # {title}\\n' >> src/app.py
        git -c user.name="$(printf 'x{title}x')" commit --quiet --all --message "$(printf '{title}')"
        """)
    async with siege.naive() as host:
        log = host.git("log", "-p", "-1")
    assert log.count("\x1b]0;owned") == 3
    snapshot = await siege.look()
    shown = clean(await siege.diff(snapshot))
    assert ("\x1b" in shown, "␛]0;owned␇" in shown) == (False, True)
    told = run_git(siege.user, "log", "--all", "--format=%an %cn %ae %s %b %D")
    assert "\x1b" not in told


@attack("G23")
async def test_sixty_thousand_files_are_refused(siege: Siege) -> None:
    await siege.python("""
import os
os.mkdir("many")
os.chdir("many")
for n in range(60_000):
    os.close(os.open(str(n), os.O_CREAT))
""")
    pack = await siege.take()
    assert len(run_git(siege.user, "ls-tree", "--name-only", "HEAD").splitlines()) < 10
    with pytest.raises(SnapshotRefused, match="touches 60001 files; at most 5000"):
        await siege.let_in(pack)
    await siege.attack("")
    assert changed(await siege.look()) == ["src/app.py"]


@attack("G24")
async def test_what_nobody_could_read_is_left_out_and_named(siege: Siege) -> None:
    await siege.attack("""
        truncate --size=1G sparse; mkfifo pipe; mkdir locked; echo x > locked/file; chmod 0 locked
        python3 -c 'import socket; socket.socket(socket.AF_UNIX).bind("socket")'
        echo x > secret; chmod 0 secret
        head -c 20000000 /dev/zero | tr '\\0' x > line""")
    snapshot = await siege.look()
    assert snapshot.left_out == ("locked", "pipe", "secret", "socket", "sparse")
    assert confirmed(snapshot) == {"line"}


@attack("G24")
@pytest.mark.parametrize(
    "pipe",
    ["src/.gitignore", ".gitattributes", "sub/.git/HEAD"],
)
async def test_a_pipe_that_git_would_wait_for_holds_nobody_up(siege: Siege, pipe: str) -> None:
    await siege.attack(
        "mkdir -p sub/.git/objects sub/.git/refs; touch sub/x src/new.txt\n"
        f"mkdir -p $(dirname {pipe}); rm -f {pipe}; mkfifo {pipe}"
    )
    async with siege.naive() as host:
        assert host.hangs("add", "--all")
    with pytest.raises(SnapshotRefused, match="is a pipe"):
        await take(siege.sandbox, siege.scribe_of(siege.sandbox), timeout=20)
    await siege.attack("")
    assert changed(await siege.look()) == ["src/app.py"]


@attack("G25")
async def test_very_deep_directories_are_left_out_and_cleaned_up(siege: Siege) -> None:
    dig = """
import os
for n in range(3000):
    os.mkdir("deep")
    os.chdir("deep")
open("file", "w").write("x")
"""
    await siege.python(dig)
    naive = siege.root / "dug"
    naive.mkdir()
    sh(naive, f"python3 -c '{dig}'")
    with pytest.raises(OSError, match="too long"):
        (naive / ("deep/" * 3000)).stat()
    sh(siege.root, "rm -rf dug")
    assert changed(await siege.look()) == ["src/app.py"]
    other = await siege.house.open()
    await ran(other, f"python3 -c '{dig}'")
    await other.remove()
    assert other.spec.name not in await siege.house.driver().names(siege.house.owner)


@attack("G27")
async def test_every_file_that_does_more_wants_its_own_confirmation(siege: Siege) -> None:
    paths = [
        *(".github/workflows/ci.yml", ".gitlab-ci.yml", ".circleci/config.yml", "Jenkinsfile"),
        *("azure-pipelines.yml", ".swarm/config.yaml", ".claude/settings.json", ".CURSOR/mcp.json"),
        *(".codex/config.toml", "opencode.json", ".mcp.json", ".gemini/settings.json", "CLAUDE.md"),
        *("AGENTS.md", ".vscode/tasks.json", ".idea/x.xml", ".devcontainer/devcontainer.json"),
        *(".husky/pre-commit", ".githooks/pre-push", ".pre-commit-config.yaml", "lefthook.yml"),
        *("package.json", "setup.py", "pyproject.toml", "src/conftest.py", "x.pth", "build.rs"),
        *("Makefile", "sub/Dockerfile", ".npmrc", "pip.conf", ".envrc", "mise.toml", ".lfsconfig"),
    ]
    await siege.attack("".join(f"mkdir -p $(dirname {p}); echo x: y >> {p}\n" for p in paths))
    async with siege.naive() as host:
        assert host.git("commit", "--all", "--message", "x")  # plain git makes no difference
    assert confirmed(await siege.look()) == set(paths)


@attack("G29")
@pytest.mark.parametrize(
    ("script", "rule"),
    [("chmod +x README.md", "mode"), ("ln -sf src/app.py README.md", "type")],
)
async def test_a_change_without_lines_is_seen_and_told(
    siege: Siege, script: str, rule: str
) -> None:
    await siege.attack(script)
    async with siege.naive() as host:
        host.git("config", "core.fileMode", "false")  # as on disks that know no modes
        unseen = host.git("diff", "README.md") == ""
        followed = "def add" in (host.path / "README.md").read_text()
        assert unseen or followed
    snapshot = await siege.look()
    assert ("warn", rule) in rules(snapshot)
    assert "README.md" in changed(snapshot)


@attack("G34")
async def test_a_file_that_takes_for_ever_to_compare_is_told(
    siege: Siege, monkeypatch: pytest.MonkeyPatch
) -> None:
    write = "import random; random.seed({}); open('slow', 'w').write('\\n'.join(random.choices('ab', k=100_000)))"
    await siege.python(write.format(1))
    first = await siege.snapshot()
    await siege.act(f'python3 -c "{write.format(2)}"')
    async with siege.naive() as host:
        (host.path / "other").write_bytes(
            await siege.hub.git().run("cat-file", "blob", f"{first.tree}:slow")
        )
        assert host.hangs("diff", "--no-index", "--minimal", "slow", "other")
    second = await siege.look()
    monkeypatch.setattr(changes, "_COUNT", Bounds(seconds=0.2))
    compared = await changes.compare(siege.hub.git(), first.tree, second.tree, max_paths=10)
    assert "paths/uncounted" in {one.rule for one in compared.findings}


@attack("G35")
async def test_a_file_hidden_by_an_ignore_rule_is_counted_and_missing_in_the_check(
    siege: Siege,
) -> None:
    await siege.attack("echo 'helper.py' >> .gitignore; echo 'x = 1' > src/helper.py")
    assert await siege.act("cd src && python3 -B -c 'import helper; print(helper.x)'") == ["1"]
    snapshot = await siege.look()
    assert snapshot.ignored == 1
    exported = await export(siege.hub, siege.run, commit=snapshot.commit, base=siege.base)
    shown = mounts((*siege.repo.objects, exported))
    check = await siege.house.open(siege.house.spec(mounts=shown))
    await siege.lay(check, snapshot.commit)
    _, ended = await ran(check, "cd src && python3 -B -c 'import helper'")
    assert "No module named 'helper'" in ended.stderr


@attack("G28")
async def test_a_hook_that_the_users_own_configuration_names_is_not_run_by_swarm(
    siege: Siege,
) -> None:
    hooks = "post-checkout post-merge post-index-change reference-transaction pre-commit"
    await siege.attack(f"""
        mkdir .husky
        for hook in {hooks}; do
          printf '#!/bin/sh\\n{siege.payload()}\\n' > .husky/$hook; chmod +x .husky/$hook
        done""")
    run_git(siege.user, "config", "core.hooksPath", ".husky")
    try:
        async with siege.naive() as host:
            host.git("config", "core.hooksPath", ".husky")
            assert host.fires("commit", "--allow-empty", "--message", "x") == {"hit"}
        snapshot = await siege.snapshot()
        assert (await siege.show(snapshot)).state == "current"
        await siege.act("echo more >> README.md")
        assert (await siege.show(await siege.snapshot())).state == "current"
    finally:
        run_git(siege.user, "config", "--unset", "core.hooksPath")
    assert siege.marked == set()
    assert len(confirmed(snapshot)) == len(hooks.split())


@attack("G36")
async def test_large_file_storage_is_not_asked_for_what_a_stranger_names(siege: Siege) -> None:
    pointer = "version https://git-lfs.github.com/spec/v1\\noid sha256:00\\nsize 3\\n"
    await siege.attack(f"""
        printf '[lfs]\\n\\turl = https://example.org/evil\\n' > .lfsconfig
        echo '*.bin filter=lfs diff=lfs merge=lfs -text' > .gitattributes
        printf '{pointer}' > model.bin""")
    smudge = f"{siege.payload()}; cat"
    lfs = {"smudge": smudge, "clean": smudge, "required": "true"}
    for key, value in lfs.items():
        run_git(siege.user, "config", "--global", f"filter.lfs.{key}", value)
    try:
        async with siege.naive() as host:
            assert host.fires("add", "--all") == {"hit"}
        snapshot = await siege.snapshot()
        assert (await siege.show(snapshot)).state == "current"
        assert siege.marked == set()
    finally:
        run_git(siege.user, "config", "--global", "--remove-section", "filter.lfs")
    assert (siege.copy / "model.bin").read_text().startswith("version https://git-lfs")
    assert confirmed(snapshot) == {".lfsconfig", ".gitattributes"}
