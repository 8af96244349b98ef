"""What an agent does to its own `.git` reaches nobody: no trusted program ever looks at it."""

import pytest

from tests.support.attacks import attack
from tests.support.repos import commit, make_repository, run_git
from tests.support.siege import Siege, changed, confirmed, rules

pytestmark = [pytest.mark.docker, pytest.mark.asyncio(loop_scope="module")]


async def unharmed(siege: Siege) -> None:
    """Nothing ran, and the snapshot holds the fix and nothing else."""
    snapshot = await siege.look()
    assert (changed(snapshot), rules(snapshot)) == (["src/app.py"], set())


@attack("G01")
async def test_hooks_of_the_agent_never_run_on_the_host(siege: Siege) -> None:
    hooks = (
        "pre-commit post-commit post-checkout post-merge post-index-change reference-transaction"
    )
    await siege.attack(f"""
        mkdir -p .git/hooks
        for hook in {hooks}; do
          printf '#!/bin/sh\\n{siege.payload()}-'$hook'\\n' > .git/hooks/$hook
          chmod +x .git/hooks/$hook
        done""")
    async with siege.naive() as host:
        fired = host.fires("commit", "--allow-empty", "--message", "x")
    assert {"hit-pre-commit", "hit-post-commit", "hit-reference-transaction"} <= fired
    await unharmed(siege)


@attack("G02")
async def test_commands_in_the_agents_configuration_never_run_on_the_host(siege: Siege) -> None:
    keys = (
        *("core.fsmonitor", "core.sshCommand", "core.pager", "core.editor", "core.gitProxy"),
        *("diff.external", "credential.helper", "gpg.program", "filter.x.clean", "filter.x.smudge"),
        *("diff.x.textconv", "diff.x.command", "merge.x.driver"),
    )
    lines = "".join(f"git config {key} '{siege.payload(key)}; cat'\n" for key in keys)
    await siege.attack(
        f"{lines}git config core.hooksPath /workspace\n"
        "echo '* filter=x diff=x merge=x' > .gitattributes\n"
    )
    async with siege.naive() as host:
        fired = host.fires("add", "--all") | host.fires("status") | host.fires("diff", "HEAD")
    assert {"core.fsmonitor", "filter.x.clean", "diff.x.command"} <= fired
    snapshot = await siege.look()
    assert confirmed(snapshot) == {".gitattributes"}


@attack("G03")
async def test_a_configuration_that_is_a_pipe_holds_nobody_up(siege: Siege) -> None:
    await siege.attack("mkfifo .git/pipe; git config include.path /workspace/.git/pipe")
    async with siege.naive() as host:
        (host.path / ".git" / "config").write_text(f"[include]\n\tpath = {host.path}/.git/pipe\n")
        assert host.hangs("status")
    await unharmed(siege)


@attack("G04")
@pytest.mark.parametrize(
    "head", ["mkfifo .git/HEAD", "ln -s /etc/hostname .git/HEAD", "echo ref: ../../x > .git/HEAD"]
)
async def test_a_head_that_is_none_disturbs_nobody(siege: Siege, head: str) -> None:
    await siege.attack(f"rm .git/HEAD; {head}")
    async with siege.naive() as host:
        assert host.hangs("status") or "On branch" not in host.git("status")
    await unharmed(siege)


@attack("G05")
@pytest.mark.parametrize(
    "redirect",
    [
        "mkdir build; mv .git build/evil; echo 'gitdir: build/evil' > .git; at=build/evil/config",
        "cp -a .git /tmp/evil; mv /tmp/evil .git/evil; echo evil > .git/commondir; at=.git/evil/config",
        "git config extensions.worktreeConfig true; at=.git/config.worktree",
    ],
    ids=["pointer", "commondir", "worktree-config"],
)
async def test_a_redirected_repository_is_not_followed(siege: Siege, redirect: str) -> None:
    evil = f"[core]\n\tfsmonitor = {siege.payload()}\n"
    await siege.attack(f"{redirect}\nprintf '{evil}' >> $at")
    async with siege.naive(borrow=False) as host:
        assert host.fires("status") == {"hit"}
    await unharmed(siege)


@attack("G09")
@pytest.mark.parametrize("way", ["alternates", "link"])
async def test_another_repository_of_the_host_is_not_read(siege: Siege, way: str) -> None:
    stranger = make_repository(siege.root / f"stranger-{way}", {"key": f"hunter2 {way}\n"})
    tip, secret = run_git(stranger, "rev-parse", "HEAD", "HEAD:key").split()
    objects = f"{stranger}/.git/objects"
    borrow = f"mkdir -p .git/objects/info; echo {objects} > .git/objects/info/alternates"
    link = f"rm -rf .git/objects; ln -s {objects} .git/objects"
    await siege.attack(f"{borrow if way == 'alternates' else link}\necho {tip} > .git/HEAD")
    thief = make_repository(siege.root / f"thief-{way}")
    async with siege.naive(borrow=False) as host:
        run_git(thief, "fetch", "--quiet", str(host.path), "HEAD")
    assert run_git(thief, "cat-file", "blob", secret) == f"hunter2 {way}"
    await unharmed(siege)
    assert not await siege.in_hub(secret)


@attack("G11")
@pytest.mark.parametrize(
    "hide",
    [
        "git update-index --assume-unchanged src/app.py",
        "git update-index --skip-worktree src/app.py",
        "echo garbage > .git/index; : > .git/index.lock",
        "o=.git/objects/$(git hash-object -w src/app.py | sed 's,..,&/,'); chmod u+w $o; echo x > $o",
    ],
    ids=["assume-unchanged", "skip-worktree", "index", "object"],
)
async def test_a_change_the_agents_git_does_not_see_is_seen(siege: Siege, hide: str) -> None:
    mine = f"x = {len(hide)}"  # in no other attack, so that nobody else has stored it
    await siege.attack(f"echo '{mine}' >> src/app.py; {hide}")
    async with siege.naive() as host:
        seen = host.git("add", "--all") + host.git("show", ":src/app.py")
    assert mine not in seen
    await unharmed(siege)


@attack("G12")
async def test_a_replaced_object_does_not_show_in_its_place(siege: Siege) -> None:
    await siege.attack(
        "git commit --quiet --all --message fix\n"
        "git replace HEAD:src/app.py HEAD^:src/app.py\n"
        "echo $(git rev-parse HEAD) > .git/info/grafts",
    )
    async with siege.naive() as host:
        assert "a + b" not in host.git("show", "HEAD:src/app.py")
    snapshot = await siege.look()
    assert "+    return a + b" in await siege.diff(snapshot)


@attack("G26")
async def test_a_flood_of_refs_disturbs_nobody(siege: Siege) -> None:
    await siege.attack(
        f"seq 400000 | sed 's,.*,{siege.base} refs/heads/b&,' | LC_ALL=C sort > .git/packed-refs"
    )
    async with siege.naive() as host:
        assert len(host.git("for-each-ref", "--format=x").splitlines()) > 400_000
    await unharmed(siege)


@attack("G22")
@pytest.mark.parametrize(
    "history",
    [
        "git checkout --quiet --orphan other; git commit --quiet --all --message orphan",
        "git commit --quiet --amend --message rewritten; git reflog expire --expire=now --all",
        "for n in $(seq 20000); do echo 'commit refs/heads/long\ncommitter a <a> 0 +0000\n"
        "data 1\nx'; done | git fast-import --quiet",
        "t=$(echo x | git hash-object -w --stdin); k=blob; m=100644\n"
        "for level in $(seq 10); do t=$(for n in 0 1 2 3 4 5 6 7 8 9; do\n"
        "printf '%s %s %s\\t%s\\n' $m $k $t $n; done | git mktree); k=tree; m=040000; done\n"
        "git update-ref refs/heads/bomb $(git commit-tree $t -m bomb)",
        "head -c 200000000 /dev/zero | git -c core.compression=1 hash-object -w --stdin",
    ],
    ids=["orphan", "rewritten", "long", "tree-bomb", "blob-bomb"],
)
async def test_nothing_of_the_agents_history_comes_in(siege: Siege, history: str) -> None:
    before = run_git(siege.user, "rev-list", "--all", "--count")
    await siege.attack(history)
    async with siege.naive() as host:
        objects = set(host.git("cat-file", "--batch-all-objects", "--batch-check").splitlines())
    mine = set(run_git(siege.user, "cat-file", "--batch-all-objects", "--batch-check").splitlines())
    foreign = objects - mine
    assert foreign
    await unharmed(siege)
    assert int(run_git(siege.user, "rev-list", "--all", "--count")) == int(before) + 1


@attack("G10")
async def test_the_users_packs_cannot_be_rewritten_from_the_box(siege: Siege) -> None:
    owner = make_repository(siege.root / "owner")
    run_git(owner, "gc", "--quiet")
    run_git(siege.root, "clone", "--quiet", "--local", str(owner), "shared")
    (pack,) = (siege.root / "shared/.git/objects/pack").glob("*.pack")
    pack.chmod(0o644)
    with pack.open("r+b") as file:
        file.seek(20)
        file.write(b"overwritten")
    with pytest.raises(AssertionError, match="checksum mismatch"):
        run_git(owner, "fsck")
    commit(siege.user, {"packed.txt": "x\n"}, "mine")
    run_git(siege.user, "gc", "--quiet")
    written = await siege.attack("""
        for pack in $(find /swarm/objects-0 -name '*.pack'); do
          chmod u+w $pack || echo kept; sh -c "echo x >> $pack" || echo kept; ln $pack . || echo kept
        done 2>/dev/null; touch /swarm/objects-0/x 2>/dev/null || echo kept""")
    assert set(written) == {"kept"}
    run_git(siege.user, "fsck", "--strict")
    await unharmed(siege)
