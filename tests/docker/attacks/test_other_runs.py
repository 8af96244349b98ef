"""What else is in the user's repository is out of an agent's sight, and stays where it is."""

import pytest

from app.repo import history
from app.repo.history import seen
from app.repo.hub import ensure_hub
from app.repo.repository import keep, open_repository, resolve
from app.repo.tree import mounts
from tests.support.attacks import attack
from tests.support.boxes import ran
from tests.support.repos import commit, make_repository, put, run_git
from tests.support.siege import Siege

pytestmark = [pytest.mark.docker, pytest.mark.asyncio(loop_scope="module")]

_EVERYTHING = "git cat-file --batch-all-objects --batch-check='%(objectname)'"


@attack("G32")
async def test_a_box_sees_neither_snapshots_nor_directories_of_another_run(siege: Siege) -> None:
    await siege.attack("echo 'work of another run' > theirs.txt")
    other = await siege.look()
    blob = await siege.hub.git().line("rev-parse", f"{other.tree}:theirs.txt")
    sharing = await siege.house.open(siege.house.spec(mounts=mounts(siege.repo.objects)))
    await siege.lay(sharing)
    seen_by, _ = await ran(sharing, f"git cat-file blob {blob}")
    assert seen_by == ["work of another run"]  # a box that borrows from the user sees all
    fresh = siege.sandbox.spec.mounts
    mine = await siege.house.open(siege.house.spec(mounts=fresh))
    await siege.lay(mine)
    found, _ = await ran(
        mine,
        f"{_EVERYTHING}; grep -rl 'of another' /workspace /state /swarm /home /tmp",
        name="look",
    )
    assert siege.base in found
    assert {other.commit, other.tree, blob} & set(found) == set()
    assert not [line for line in found if line.startswith("/")]
    volumes, _ = await ran(mine, "cat /proc/self/mountinfo", name="mounts")
    assert siege.sandbox.spec.name not in "\n".join(volumes)


@pytest.mark.parametrize("hidden", ["amended", "stash", "branch"])
async def test_what_is_not_behind_the_base_cannot_be_read_in_the_box(
    siege: Siege, hidden: str
) -> None:
    user = make_repository(siege.root / f"secret-{hidden}")
    if hidden == "branch":
        run_git(user, "checkout", "--quiet", "-b", "private")
    put(user, {"key": f"hunter2 {hidden}\n"})
    secret = run_git(user, "hash-object", "key")
    if hidden == "stash":
        run_git(user, "stash", "--include-untracked")
    else:
        commit(user, {})
    if hidden == "amended":
        run_git(user, "rm", "--quiet", "--cached", "key")
        run_git(user, "commit", "--quiet", "--amend", "--allow-empty", "--message", "no key")
    repo = await open_repository(user)
    hub = await ensure_hub(repo, siege.root / "state" / "hubs")
    base = await resolve(repo, "main")
    read = f"GIT_OBJECT_DIRECTORY=/swarm/objects-0 git cat-file blob {secret}"
    read = f"git init -q /tmp/x; cd /tmp/x; {read} 2>/dev/null"
    found = {}
    for wanted in ("shared", "mirror"):
        run = type(siege.run)(f"{wanted}.1")
        await history.choose(repo, hub, run, base, "shared" if wanted == "shared" else "mirror")
        box = await siege.house.open(siege.house.spec(mounts=mounts(seen(repo, hub, run, base))))
        found[wanted], _ = await ran(box, read)
        await box.remove()
    assert found == {"shared": [f"hunter2 {hidden}"], "mirror": []}


@attack("G33")
async def test_the_users_clean_up_in_mid_run_takes_nothing_away(siege: Siege) -> None:
    user = make_repository(siege.root / "pruned")
    at = {}
    for name in ("naive", "kept", "mirrored"):
        run_git(user, "checkout", "--quiet", "-b", name, "main")
        at[name] = commit(user, {f"{name}.txt": f"{name}\n"})
    run_git(user, "checkout", "--quiet", "main")
    repo = await open_repository(user)
    hub = await ensure_hub(repo, siege.root / "state" / "hubs")
    boxes = {}
    for name, base in at.items():
        run = type(siege.run)(f"{name}.1")
        if name != "naive":
            await keep(repo, run, base)
        await history.choose(repo, hub, run, base, "mirror" if name == "mirrored" else "shared")
        spec = siege.house.spec(mounts=mounts(seen(repo, hub, run, base)))
        boxes[name] = await siege.house.open(spec)
        await siege.lay(boxes[name], base, repo)
    for name in at:
        run_git(user, "branch", "--quiet", "-D", name)
    run_git(user, "update-ref", "-d", "refs/swarm/base/mirrored.1")
    run_git(user, "reflog", "expire", "--expire=now", "--all")
    run_git(user, "gc", "--quiet", "--prune=now")
    works = {}
    for name, box in boxes.items():
        _, ended = await ran(box, "git log -p > /dev/null && git fsck 2> /dev/null")
        works[name] = ended.code == 0
        await box.remove()
    assert works == {"naive": False, "kept": True, "mirrored": True}
