import subprocess
from pathlib import Path

import msgspec
import pytest

from app.repo import refs
from app.repo.errors import SnapshotRefused
from app.repo.hub import Hub
from app.repo.ingest import forget, ingest, newest
from app.repo.scribe import Pack
from tests.support.repos import RUN, AgentAtWork, put, run_git


async def test_an_untouched_tree_is_the_base_itself(agent: AgentAtWork) -> None:
    snapshot = await agent.snapshot()
    assert (snapshot.commit, snapshot.files) == (agent.base, ())


async def test_a_snapshot_is_a_commit_of_swarms_own_on_the_base(
    agent: AgentAtWork, hub: Hub
) -> None:
    snapshot = await agent.snapshot({"new.py": "x\n"})
    about = await hub.git().line("show", "-s", "--format=%P %an %s", snapshot.commit)
    assert about == f"{agent.base} swarm Snapshot of run {RUN}"


async def test_a_later_snapshot_stands_on_the_one_before(agent: AgentAtWork, hub: Hub) -> None:
    first = await agent.snapshot({"new.py": "x\n"})
    second = await agent.snapshot({"new.py": "y\n"})
    assert await hub.git().line("rev-parse", f"{second.commit}^") == first.commit
    assert await newest(hub, RUN) == second.commit


async def test_the_same_tree_is_the_same_commit_again(agent: AgentAtWork) -> None:
    first = await agent.snapshot({"new.py": "x\n"})
    assert await agent.snapshot() == first


async def test_letting_the_same_pack_in_again_changes_nothing(agent: AgentAtWork, hub: Hub) -> None:
    put(agent.tree, {"new.py": "x\n"})
    pack = await agent.take()
    first = await ingest(hub, pack, run=RUN, base=agent.base)
    assert await ingest(hub, pack, run=RUN, base=agent.base) == first


async def test_a_death_before_the_commit_was_remembered_changes_nothing(
    agent: AgentAtWork, hub: Hub
) -> None:
    put(agent.tree, {"new.py": "x\n"})
    pack = await agent.take()
    first = await ingest(hub, pack, run=RUN, base=agent.base)
    await forget(hub, RUN)
    (hub.scratch / f"incoming-{RUN}" / "pack").mkdir(parents=True)
    assert (await ingest(hub, pack, run=RUN, base=agent.base)).commit == first.commit


async def test_nothing_of_the_quarantine_is_left(agent: AgentAtWork, hub: Hub) -> None:
    await agent.snapshot({"new.py": "x\n"})
    assert list(hub.scratch.iterdir()) == []


async def test_lines_and_kinds_of_change_are_counted(agent: AgentAtWork) -> None:
    (agent.tree / "README.md").unlink()
    (agent.tree / "src/app.py").chmod(0o755)
    snapshot = await agent.snapshot({"a b.py": "1\n2\n", "x.bin": b"\0\1"})
    facts = {
        file.path: (file.status, file.insertions, file.deletions, file.binary)
        for file in snapshot.files
    }
    assert facts == {
        "README.md": ("deleted", 0, 1, False),
        "a b.py": ("added", 2, 0, False),
        "src/app.py": ("modified", 0, 0, False),
        "x.bin": ("added", 0, 0, True),
    }
    assert (snapshot.insertions, snapshot.deletions) == (2, 1)
    assert {finding.rule for finding in snapshot.findings} == {"paths/binary", "paths/mode"}


async def test_garbage_is_refused_and_nothing_of_it_let_in(agent: AgentAtWork, hub: Hub) -> None:
    before = _packs(hub)
    with pytest.raises(SnapshotRefused, match="git does not accept"):
        await ingest(hub, Pack(tree="1" * 40, data=b"garbage"), run=RUN, base=agent.base)
    assert _packs(hub) == before


async def test_a_pack_without_the_tree_it_names_is_refused(agent: AgentAtWork, hub: Hub) -> None:
    put(agent.tree, {"new.py": "x\n"})
    pack = msgspec.structs.replace(await agent.take(), tree="1" * 40)
    with pytest.raises(SnapshotRefused, match="does not hold the tree"):
        await ingest(hub, pack, run=RUN, base=agent.base)


async def test_more_paths_than_anyone_could_review_are_refused(
    agent: AgentAtWork, hub: Hub
) -> None:
    put(agent.tree, {f"gen/{number}": "x" for number in range(50)})
    pack, before = await agent.take(), _packs(hub)
    with pytest.raises(SnapshotRefused, match="touches 50 files; at most 40"):
        await ingest(hub, pack, run=RUN, base=agent.base, max_paths=40)
    assert _packs(hub) == before


@pytest.mark.parametrize(
    ("name", "mode"),
    [(b".git", b"40000"), (b"..", b"40000"), (b".GIT", b"40000"), (b"a/b", b"100644")],
)
async def test_a_forged_tree_is_refused(
    name: bytes, mode: bytes, agent: AgentAtWork, hub: Hub, tmp_path: Path
) -> None:
    run_git(tmp_path, "init", "--quiet", "forge")
    forge = tmp_path / "forge"
    inner = _write(forge, "tree", b"") if mode == b"40000" else _write(forge, "blob", b"x")
    tree = _write(forge, "tree", mode + b" " + name + b"\0" + bytes.fromhex(inner))
    data = _pack(forge, tree, inner)
    with pytest.raises(SnapshotRefused, match="git does not accept"):
        await ingest(hub, Pack(tree=tree, data=data), run=RUN, base=agent.base)


def _write(where: Path, kind: str, content: bytes) -> str:
    return run_git(where, "hash-object", "--literally", "-w", "-t", kind, "--stdin", stdin=content)


def _pack(where: Path, *objects: str) -> bytes:
    asked = "".join(f"{name}\n" for name in objects).encode()
    pack = ["git", "pack-objects", "--stdout", "-q"]
    return subprocess.run(pack, cwd=where, input=asked, capture_output=True, check=True).stdout


def _packs(hub: Hub) -> set[Path]:
    return set((hub.objects / "pack").glob("*"))


async def test_a_blocked_snapshot_is_kept_but_nothing_builds_on_it(
    agent: AgentAtWork, hub: Hub
) -> None:
    good = await agent.snapshot({"new.py": "x\n"})
    (agent.tree / "out").symlink_to("/etc/passwd")
    bad = await agent.snapshot()
    assert (good.blocked, bad.blocked) == (False, True)
    (agent.tree / "out").unlink()
    better = await agent.snapshot({"more.py": "y\n"})
    assert await hub.git().line("rev-parse", f"{better.commit}^") == good.commit
    assert await newest(hub, RUN) == better.commit


async def test_taking_a_blocked_change_back_is_the_snapshot_before(agent: AgentAtWork) -> None:
    good = await agent.snapshot({"new.py": "x\n"})
    (agent.tree / "out").symlink_to("/etc/passwd")
    await agent.snapshot()
    (agent.tree / "out").unlink()
    assert (await agent.snapshot()).commit == good.commit


async def test_runs_are_remembered_apart_and_forgotten_apart(agent: AgentAtWork, hub: Hub) -> None:
    await agent.snapshot({"new.py": "x\n"})
    await forget(hub, RUN)
    await forget(hub, RUN)
    assert await newest(hub, RUN) == ""
    assert await hub.git().line("for-each-ref", refs.clean(RUN)) == ""
