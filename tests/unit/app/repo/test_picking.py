"""Parts of a change are left out: what lands is an exact tree without them."""

from pathlib import Path

import pytest

from app.domain.errors import NotFound
from app.domain.review import LeftOut
from app.repo import picking
from app.repo.hub import Hub, ensure_hub
from app.repo.repository import open_repository
from tests.support.repos import AgentAtWork, run_git

LINES = [f"line {n}\n" for n in range(60)]
OLD = "".join(LINES)


def changed(*at: int) -> str:
    return "".join(f"new {n}\n" if n in at else line for n, line in enumerate(LINES))


async def shown(hub: Hub, tree: str, path: str) -> str:
    return (await hub.git().run("show", f"{tree}:{path}")).decode()


@pytest.fixture
async def both(agent: AgentAtWork) -> tuple[str, str]:
    """The tip, and a tree with two hunks in one file, a new file and a deletion."""
    base = await agent.snapshot({"long.txt": OLD, "gone.txt": "g\n", "odd \u00e9.txt": "o\n"})
    (agent.tree / "gone.txt").unlink()
    new = await agent.snapshot(
        {"long.txt": changed(5, 40), "added.txt": "a\n", "odd \u00e9.txt": "p\n"}
    )
    return base.commit, new.tree


async def test_a_hunk_is_left_out_and_the_other_stays(hub: Hub, both: tuple[str, str]) -> None:
    out = await picking.named(hub, *both, "long.txt", 6)
    tree = await picking.without(hub, *both, [out])
    assert await shown(hub, tree, "long.txt") == changed(40)
    assert await shown(hub, tree, "added.txt") == "a\n"


async def test_a_file_is_left_out_whole(hub: Hub, both: tuple[str, str]) -> None:
    tip, tree = both
    left = [LeftOut(path=path) for path in ("long.txt", "added.txt", "gone.txt", "odd \u00e9.txt")]
    tree = await picking.without(hub, tip, tree, left)
    assert tree == await hub.git().line("rev-parse", f"{tip}^{{tree}}")


async def test_a_line_of_a_new_file_means_all_of_it(hub: Hub, both: tuple[str, str]) -> None:
    assert await picking.named(hub, *both, "added.txt", 1) == LeftOut(path="added.txt")


async def test_what_is_not_changed_cannot_be_left_out(hub: Hub, both: tuple[str, str]) -> None:
    for path, line in (("other.txt", 0), ("long.txt", 25)):
        with pytest.raises(NotFound):
            await picking.named(hub, *both, path, line)


async def test_a_hunk_that_is_not_found_any_more_takes_its_file_along(
    hub: Hub, both: tuple[str, str]
) -> None:
    tree = await picking.without(hub, *both, [LeftOut(path="long.txt", hunk="0" * 16)])
    assert await shown(hub, tree, "long.txt") == OLD


async def test_leaving_out_one_after_the_other_is_leaving_out_both(
    hub: Hub, both: tuple[str, str]
) -> None:
    tip, tree = both
    first = await picking.named(hub, tip, tree, "long.txt", 6)
    less = await picking.without(hub, tip, tree, [first])
    second = await picking.named(hub, tip, less, "long.txt", 41)
    assert (
        await shown(hub, await picking.without(hub, tip, tree, [first, second]), "long.txt") == OLD
    )


async def test_a_new_file_is_left_out_of_a_repository_with_longer_names(tmp_path: Path) -> None:
    place = tmp_path / "project"
    place.mkdir()
    run_git(place, "init", "--quiet", "--object-format=sha256", "--initial-branch=main")
    ids = []
    for name in ("old.txt", "added.txt"):
        (place / name).write_text(name)
        run_git(place, "add", ".")
        run_git(place, "commit", "--quiet", "-m", name)
        ids.append(run_git(place, "rev-parse", "HEAD^{tree}"))
    hub = await ensure_hub(await open_repository(place), tmp_path / "hubs")
    tip = run_git(place, "rev-parse", "HEAD^")
    left = await picking.without(hub, tip, ids[1], [LeftOut(path="added.txt")])
    assert left == ids[0]
