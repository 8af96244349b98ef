import os
from pathlib import Path

import pytest

from app.domain.errors import RepoError
from app.repo import scribe as scribe_module
from app.repo.errors import SnapshotRefused, TimedOut
from app.repo.scribe import parse, seed, snapshot_script, take
from tests.support.repos import AgentAtWork, put, run_git


async def test_an_untouched_tree_is_the_tree_of_the_base(agent: AgentAtWork, user: Path) -> None:
    assert (await agent.take()).tree == run_git(user, "rev-parse", "main^{tree}")


async def test_a_snapshot_needs_no_seed(agent: AgentAtWork, user: Path) -> None:
    await agent.sandbox.aside(f"rm -rf {agent.sandbox.places.scratch}/*")
    assert (await agent.take()).tree == run_git(user, "rev-parse", "main^{tree}")


async def test_seeding_again_is_harmless(agent: AgentAtWork) -> None:
    await seed(agent.sandbox, agent.scribe)
    put(agent.tree, {"new.py": "x"})
    before = await agent.take()
    await seed(agent.sandbox, agent.scribe)
    assert await agent.take() == before


async def test_an_edit_of_the_same_length_in_the_same_second_is_seen(agent: AgentAtWork) -> None:
    for text in ("+", "*", "/", "%"):
        snapshot = await agent.snapshot({"src/app.py": f"def add(a, b):\n    return a {text} b\n"})
        assert [file.path for file in snapshot.files] == ["src/app.py"]


async def test_the_seed_is_as_old_as_the_index_it_was_made_from(agent: AgentAtWork) -> None:
    seeded = Path(agent.sandbox.places.scratch) / "git/index"
    assert seeded.stat().st_mtime_ns == (agent.tree / ".git/index").stat().st_mtime_ns


async def test_the_same_tree_gives_the_same_id_again(agent: AgentAtWork) -> None:
    put(agent.tree, {"new.py": "x"})
    assert (await agent.take()).tree == (await agent.take()).tree


async def test_only_what_is_new_is_packed(agent: AgentAtWork) -> None:
    put(agent.tree, {"noise.bin": os.urandom(200_000)})
    first = await agent.snapshot()
    put(agent.tree, {"small.txt": "x"})
    second = await agent.take()
    assert len(second.data) < 10_000
    assert first.tree != second.tree


async def test_deleted_files_are_gone(agent: AgentAtWork) -> None:
    (agent.tree / "README.md").unlink()
    snapshot = await agent.snapshot()
    assert [(file.path, file.status) for file in snapshot.files] == [("README.md", "deleted")]


async def test_ignored_files_stay_out_and_are_counted(agent: AgentAtWork) -> None:
    put(agent.tree, {"build/a": "x", "build/b": "x", "debug.log": "x"})
    pack = await agent.take()
    assert pack.ignored == 2  # the directory build/ is one


async def test_large_files_stay_out_and_are_named(agent: AgentAtWork) -> None:
    with (agent.tree / "core dump's\n.bin").open("wb") as file:
        file.truncate(30 * 1024**2)
    put(agent.tree, {"small.py": "x"})
    snapshot = await agent.snapshot()
    assert snapshot.left_out == ("core dump's\\x0a.bin",)
    assert [file.path for file in snapshot.files] == ["small.py"]
    assert [finding.rule for finding in snapshot.findings] == ["paths/left-out"]


async def test_a_large_file_of_the_users_own_is_no_news(
    agent: AgentAtWork, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(scribe_module, "LARGEST_FILE", 100)
    assert (agent.tree / "src/util.py").stat().st_size > 100
    assert (await agent.take()).left_out == ()


async def test_a_large_file_of_the_users_own_that_changed_is_named(
    agent: AgentAtWork, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(scribe_module, "LARGEST_FILE", 100)
    put(agent.tree, {"src/util.py": "x" * 200})
    assert (await agent.take()).left_out == ("src/util.py",)


async def test_pipes_are_named_and_do_not_block(agent: AgentAtWork) -> None:
    os.mkfifo(agent.tree / "pipe")
    put(agent.tree, {"small.py": "x"})
    snapshot = await agent.snapshot()
    assert snapshot.left_out == ("pipe",)
    assert [file.path for file in snapshot.files] == ["small.py"]


async def test_too_much_new_content_is_refused(
    agent: AgentAtWork, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(scribe_module, "LARGEST_PACK", 1000)
    put(agent.tree, {"noise.bin": os.urandom(5000)})
    with pytest.raises(SnapshotRefused, match=r"too large: the change has \d+ bytes") as caught:
        await agent.take()
    assert ".gitignore" in caught.value.hint


async def test_too_much_output_is_refused(
    agent: AgentAtWork, monkeypatch: pytest.MonkeyPatch
) -> None:
    script = snapshot_script(agent.scribe, "")
    monkeypatch.setattr(
        scribe_module, "snapshot_script", lambda *_: f"{script}head -c 99 /dev/zero"
    )
    monkeypatch.setattr(scribe_module, "LARGEST_PACK", -4 * scribe_module._NAMES + 10)
    with pytest.raises(SnapshotRefused, match="more than 10 bytes"):
        await take(agent.sandbox, agent.scribe)


async def test_a_scribe_over_its_time_is_told(agent: AgentAtWork) -> None:
    with pytest.raises(TimedOut, match="took longer"):
        await take(agent.sandbox, agent.scribe, timeout=0.001)


async def test_a_scribe_killed_in_the_middle_does_not_spoil_the_next(agent: AgentAtWork) -> None:
    script = snapshot_script(agent.scribe, "").replace(
        "g pack-objects", "kill -9 $$; g pack-objects"
    )
    put(agent.tree, {"new.py": "x"})
    await agent.sandbox.aside(script)
    assert [file.path for file in (await agent.snapshot()).files] == ["new.py"]


async def test_two_scribes_at_once_do_not_disturb_each_other(agent: AgentAtWork) -> None:
    put(agent.tree, {"new.py": "x"})
    script = snapshot_script(agent.scribe, "")
    done = await agent.sandbox.aside(f"({script}) > /dev/null & ({script}); wait")
    assert parse(done.stdout).tree == (await agent.take()).tree


@pytest.mark.parametrize(
    "output", [b"", b"hello\n", b"swarm-pack 1 x 0 0 0 0 0 0\n", b"swarm-pack 1 y a 0 0 0 0 0\n"]
)
def test_an_answer_that_is_no_snapshot_is_refused(output: bytes) -> None:
    with pytest.raises(RepoError):
        parse(output)


def test_an_answer_that_was_cut_is_refused() -> None:
    with pytest.raises(RepoError, match="incomplete: 3 bytes of 9"):
        parse(b"swarm-pack 1 %s 0 0 0 0 0 9\nabc" % (b"a" * 40))
