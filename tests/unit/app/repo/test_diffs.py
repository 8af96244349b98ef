import pytest

from app.domain.errors import RepoError
from app.repo.diffs import diff
from app.repo.errors import TooLarge
from app.repo.hub import Hub
from tests.support.repos import AgentAtWork


async def test_a_diff_is_unified_and_names_whole_ids(agent: AgentAtWork, hub: Hub) -> None:
    snapshot = await agent.snapshot({"src/app.py": "def add(a, b):\n    return a + b\n"})
    text = (await diff(hub, agent.base, snapshot.commit)).decode()
    assert text.startswith("diff --git a/src/app.py b/src/app.py\nindex ")
    assert len(text.splitlines()[1].split()[1]) == 40 + 2 + 40
    assert "-    return a - b\n+    return a + b\n" in text


async def test_trees_compare_like_their_commits(agent: AgentAtWork, hub: Hub) -> None:
    snapshot = await agent.snapshot({"new.py": "x\n"})
    assert await diff(hub, agent.base, snapshot.tree) == await diff(
        hub, agent.base, snapshot.commit
    )


async def test_attributes_in_the_tree_hide_nothing(agent: AgentAtWork, hub: Hub) -> None:
    hidden = {".gitattributes": "*.py -diff binary filter=x\n", "src/app.py": "backdoor()\n"}
    snapshot = await agent.snapshot(hidden)
    assert b"+backdoor()" in await diff(hub, agent.base, snapshot.commit)
    assert (".gitattributes", "paths/sensitive") in [(f.path, f.rule) for f in snapshot.findings]


async def test_nothing_changed_is_an_empty_diff(agent: AgentAtWork, hub: Hub) -> None:
    assert await diff(hub, agent.base, agent.base) == b""


async def test_a_million_lines_are_one_diff(agent: AgentAtWork, hub: Hub) -> None:
    lines = "a line of ordinary length\n" * 100_000
    snapshot = await agent.snapshot({f"f{number}.txt": lines for number in range(10)})
    shown = await diff(hub, agent.base, snapshot.commit)
    assert shown.count(b"\n+a line") == 1_000_000


async def test_a_diff_over_its_size_is_refused(agent: AgentAtWork, hub: Hub) -> None:
    snapshot = await agent.snapshot({"new.py": "x\n" * 1000})
    with pytest.raises(TooLarge, match="too large to diff: more than 500 bytes"):
        await diff(hub, agent.base, snapshot.commit, limit_bytes=500)


async def test_a_diff_over_its_time_is_refused(agent: AgentAtWork, hub: Hub) -> None:
    snapshot = await agent.snapshot({"new.py": "x\n"})
    with pytest.raises(TooLarge, match="too large to diff: git gave up"):
        await diff(hub, agent.base, snapshot.commit, timeout=0)


async def test_what_was_rewritten_and_pruned_is_named_and_so_is_what_is_kept(
    agent: AgentAtWork, hub: Hub
) -> None:
    made = (await agent.snapshot({"new.txt": "1\n"})).commit
    with pytest.raises(RepoError, match="111111111111 is not in the repository any more") as told:
        await diff(hub, "1" * 40, made)
    assert f"ls-tree -r {made}" in told.value.hint
