"""Exactly what was approved lands where it was approved to land; a reason not to comes with the way out."""

import msgspec
import pytest

from app import wire
from app.domain.errors import NeedsHuman, NotFound, NotNow
from app.domain.events import Note
from app.domain.review import Verdict
from app.domain.run import RunState
from tests.support.actions import USER, SwarmActions
from tests.support.repos import commit, put, run_git
from tests.support.scripts import edit, replace, scripted
from tests.support.world import World, story

pytestmark = pytest.mark.asyncio(loop_scope="module")

TOKEN = "ghp_" + "q7Rk2ZbT9wXc4VnM1sLp8JdF6hGyE0aUiC3o"
AGENTS = {
    "fixer": scripted([replace("src/app.py", "a - b", "a + b")]),
    "automator": scripted(
        [edit(".github/workflows/ci.yml", "on: push\n"), edit("notes.txt", "n\n")]
    ),
    "smuggler": scripted(
        [
            {"run": "mkdir -p sub && git init -q sub && touch sub/file && git -C sub add ."},
            {"run": "ln -s /etc/passwd leak"},
            edit("notes.txt", "n\n"),
        ]
    ),
    "thorough": scripted([edit("notes.txt", "n\n")], [replace("src/app.py", "a - b", "a + b")]),
    "careless": scripted(
        [edit("config.py", f"KEY = '{TOKEN}'\n")],
        [edit("config.py", "KEY = environ['KEY']\n")],
    ),
}
OVERLAPPING = {"src/app.py": "def add(a, b):\n    return sum((a, b))\n"}


async def reviewed(world: World, agent: str = "fixer", base: str = "") -> tuple[SwarmActions, str]:
    """A user with a run that is in review."""
    user = world.user()
    if base:
        run_git(user.repo, "branch", base)
    run = await user.submit(agent=agent, base=base)
    await user.review(run)
    return user, run


def approval(shown: wire.RunDetail, *confirmed: str) -> wire.Approve:
    review = shown.reviews[-1]
    return wire.Approve(
        review=review.id, tree=review.result_tree, confirmed=tuple(confirmed), by=USER
    )


@story
async def conflicting(world: World) -> wire.RunDetail:
    """The target got an edit of the same line while the run was in review."""
    user, run = await reviewed(world)
    commit(user.repo, OVERLAPPING, "another fix")
    return await world.client.detail(run)


async def test_a_conflict_is_shown_with_its_files(conflicting: wire.RunDetail) -> None:
    assert conflicting.row.run.state == RunState.IN_REVIEW
    assert conflicting.reviews[-1].conflicts == ("src/app.py",)


async def test_a_conflict_cannot_be_approved(world: World, conflicting: wire.RunDetail) -> None:
    with pytest.raises(NotNow, match=r"cannot land: it conflicts with the target in src/app\.py"):
        await world.client.approve(conflicting.row.run.id, approval(conflicting))


async def test_the_diff_of_a_conflict_is_what_the_agent_did(
    world: World, conflicting: wire.RunDetail
) -> None:
    diff = await world.client.diff(conflicting.row.run.id, review=True)
    assert b"+    return a + b" in diff


async def test_a_conflict_can_be_sent_back_to_the_agent(
    world: World, conflicting: wire.RunDetail
) -> None:
    user = world.at(conflicting)
    await user.changes(conflicting.row.run.id, "please look again")
    again = await user.until(conflicting.row.run.id, RunState.IN_REVIEW)
    assert again.reviews[-1].round == 2


@story
async def moved(world: World) -> tuple[wire.RunDetail, wire.RunDetail]:
    """The same run before and after the target moved, without any overlap."""
    user, run = await reviewed(world)
    before = await world.client.detail(run)
    commit(user.repo, {"other.txt": "other\n"}, "something else")
    return before, await world.client.detail(run)


async def test_a_review_follows_its_target(moved: tuple[wire.RunDetail, wire.RunDetail]) -> None:
    before, after = (each.reviews[-1] for each in moved)
    assert before.id == after.id
    assert before.tip != after.tip
    assert before.result_tree != after.result_tree
    assert [file.path for file in after.files] == ["src/app.py"]


async def test_what_was_looked_at_before_the_move_cannot_be_approved(
    world: World, moved: tuple[wire.RunDetail, wire.RunDetail]
) -> None:
    before, _after = moved
    with pytest.raises(NotNow, match="not what would land now"):
        await world.client.approve(before.row.run.id, approval(before))


async def test_after_another_look_it_lands_beside_the_others_work(
    world: World, moved: tuple[wire.RunDetail, wire.RunDetail]
) -> None:
    user = world.at(moved[1])
    await user.approve(moved[1].row.run.id)
    assert (user.repo / "other.txt").read_text() == "other\n"
    assert "a + b" in (user.repo / "src/app.py").read_text()


@story
async def dirty(world: World) -> wire.RunDetail:
    """Approved while uncommitted work of the user is in the way."""
    user, run = await reviewed(world)
    put(user.repo, {"src/app.py": "mine, not committed\n"})
    await user.approve(run)
    return await world.client.detail(run)


async def test_a_dirty_target_sends_the_run_back_with_the_way_out(dirty: wire.RunDetail) -> None:
    assert dirty.row.run.state == RunState.IN_REVIEW
    assert "uncommitted work is in the way: src/app.py" in dirty.row.run.reason
    assert "git stash" in dirty.row.run.reason


async def test_a_dirty_targets_files_are_not_touched(world: World, dirty: wire.RunDetail) -> None:
    repo = world.at(dirty).repo
    assert (repo / "src/app.py").read_text() == "mine, not committed\n"
    assert run_git(repo, "log", "--format=%s") == "start"


async def test_the_approval_holds_so_that_merge_lands_once_the_way_is_free(
    world: World, dirty: wire.RunDetail
) -> None:
    user, run = world.at(dirty), dirty.row.run.id
    assert dirty.reviews[-1].verdict == Verdict.APPROVE
    run_git(user.repo, "stash", "--quiet")
    await world.client.merge(run, wire.Act(by=USER))
    await user.until(run, RunState.MERGED)
    assert "a + b" in (user.repo / "src/app.py").read_text()


async def test_merge_without_an_approval_is_refused(world: World) -> None:
    user, run = await reviewed(world)
    with pytest.raises(NeedsHuman, match="nobody has approved"):
        await world.client.merge(run, wire.Act(by=USER))
    assert run_git(user.repo, "log", "--format=%s") == "start"


async def test_a_target_that_moved_after_the_approval_voids_it(world: World) -> None:
    user, run = await reviewed(world)
    put(user.repo, {"src/app.py": "mine, not committed\n"})
    await user.approve(run)
    run_git(user.repo, "stash", "--quiet")
    commit(user.repo, {"other.txt": "other\n"}, "something else")
    await world.client.merge(run, wire.Act(by=USER))
    back = await user.until(run, RunState.IN_REVIEW)
    assert "moved from" in back.row.run.reason
    assert back.reviews[-1].verdict is None
    await user.approve(run)
    assert run_git(user.repo, "log", "--format=%s") == "Write a note\nsomething else\nstart"


async def test_a_target_that_is_checked_out_nowhere_moves_as_a_branch(world: World) -> None:
    user, run = await reviewed(world, base="release")
    landed = await user.approve(run)
    assert landed.reviews[-1].target == "release"
    assert "a + b" in run_git(user.repo, "show", "release:src/app.py")
    assert "a - b" in (user.repo / "src/app.py").read_text()


async def test_a_target_that_is_gone_is_told(world: World) -> None:
    user, run = await reviewed(world, base="release")
    shown = await world.client.detail(run)
    run_git(user.repo, "branch", "-D", "release")
    await world.client.approve(run, approval(shown))
    back = await user.until(run, RunState.IN_REVIEW)
    assert "the branch 'release' is gone" in back.row.run.reason


@story
async def doubtful(world: World) -> wire.RunDetail:
    """A change of what runs by itself on other machines."""
    _user, run = await reviewed(world, "automator")
    return await world.client.detail(run)


async def test_a_finding_that_needs_a_word_is_named(world: World, doubtful: wire.RunDetail) -> None:
    with pytest.raises(NeedsHuman, match=r"need a word of their own: \.github/workflows/ci\.yml"):
        await world.client.approve(doubtful.row.run.id, approval(doubtful))


async def test_confirming_another_file_does_not_do(world: World, doubtful: wire.RunDetail) -> None:
    with pytest.raises(NeedsHuman):
        await world.client.approve(doubtful.row.run.id, approval(doubtful, "notes.txt"))


async def test_a_confirmed_finding_lands(world: World, doubtful: wire.RunDetail) -> None:
    user = world.at(doubtful)
    await user.approve(doubtful.row.run.id, confirmed=(".github/workflows/ci.yml",))
    assert (user.repo / ".github/workflows/ci.yml").read_text() == "on: push\n"


@story
async def blocked(world: World) -> wire.RunDetail:
    """A change that nobody may approve."""
    _user, run = await reviewed(world, "smuggler")
    return await world.client.detail(run)


async def test_what_is_blocked_cannot_be_approved(world: World, blocked: wire.RunDetail) -> None:
    paths = [f.path for f in blocked.reviews[-1].findings if f.severity == "block"]
    with pytest.raises(NotNow, match="the path policy forbids"):
        await world.client.approve(blocked.row.run.id, approval(blocked, *paths))


async def test_what_is_blocked_never_reaches_the_users_repository(
    world: World, blocked: wire.RunDetail
) -> None:
    user = world.at(blocked)
    assert run_git(user.repo, "log", "--format=%s", blocked.row.run.branch) == "start"
    told = [e.body.text for e in await user.events(blocked.row.run.id) if isinstance(e.body, Note)]
    assert any("may not leave the sandbox" in text for text in told)


async def test_approving_twice_at_once_lands_once(world: World) -> None:
    user, run = await reviewed(world)
    shown = await world.client.detail(run)
    await world.client.approve(run, approval(shown))
    with pytest.raises(NotNow):
        await world.client.approve(run, approval(shown))
    await user.until(run, RunState.MERGED)
    assert run_git(user.repo, "log", "--format=%s") == "Write a note\nstart"


async def test_a_change_lands_behind_a_merge_commit_when_a_person_says_so(world: World) -> None:
    user, run = await reviewed(world)
    shown = await user.review(run)
    commit(user.repo, {"theirs.py": "x\n"}, "their work")
    after = await user.approve(run, style="merge")
    assert after.row.run.state == RunState.MERGED
    assert run_git(user.repo, "rev-list", "--parents", "-1", "main").count(" ") == 2
    assert run_git(user.repo, "rev-parse", "main^{tree}") == after.reviews[-1].result_tree
    assert run_git(user.repo, "rev-parse", "main^2^1") == shown.base


async def test_a_merge_that_would_bring_along_what_the_target_lacks_is_refused(
    world: World,
) -> None:
    user, run = await reviewed(world)
    run_git(user.repo, "checkout", "--quiet", "--orphan", "anew")
    commit(user.repo, {"anew.py": "x\n"}, "another history")
    run_git(user.repo, "branch", "--force", "main", "anew")
    shown = await world.client.detail(run)
    body = msgspec.structs.replace(approval(shown), style="merge")
    with pytest.raises(NotNow, match="does not hold the commit that"):
        await world.client.approve(run, body)


@story
async def thorough(world: World) -> wire.RunDetail:
    """A run in review after two turns, on a target that moved meanwhile."""
    user, run = await reviewed(world, "thorough")
    await user.changes(run, "mend it, too")
    await user.review(run)
    commit(user.repo, {"theirs.py": "x\n"}, "their work")
    return await world.client.detail(run)


async def test_the_commits_of_a_rebase_can_be_looked_at_one_by_one(
    world: World, thorough: wire.RunDetail
) -> None:
    run = thorough.row.run.id
    first, second = await world.client.commits(run)
    assert (first.turn, [file.path for file in first.files]) == (1, ["notes.txt"])
    assert (second.turn, second.tree) == (2, thorough.reviews[-1].result_tree)
    diff = await world.client.diff(run, turn=2)
    assert b"a + b" in diff
    assert b"notes.txt" not in diff
    with pytest.raises(NotFound, match="no commit of turn 3; it has: 1, 2"):
        await world.client.diff(run, turn=3)


async def test_a_rebase_of_other_commits_than_were_looked_at_is_refused(
    world: World, thorough: wire.RunDetail
) -> None:
    tree = thorough.reviews[-1].result_tree
    for commits in ((), (tree,), (thorough.reviews[0].result_tree, tree)):
        body = msgspec.structs.replace(approval(thorough), style="rebase", commits=commits)
        with pytest.raises(NotNow, match="not those that a rebase"):
            await world.client.approve(thorough.row.run.id, body)


async def test_a_rebase_lands_a_commit_a_turn_and_undo_takes_all_of_them_back(
    world: World, thorough: wire.RunDetail
) -> None:
    user, run = world.at(thorough), thorough.row.run.id
    commits = await world.client.commits(run)
    after = await user.approve(run, style="rebase")
    assert after.row.run.state == RunState.MERGED
    subjects = run_git(user.repo, "log", "--format=%s", "-3", "main").splitlines()
    assert subjects == ["Write a note", "Write a note (turn 1 of 2)", "their work"]
    trees = run_git(user.repo, "log", "--format=%T", "-2", "main").splitlines()
    assert trees == [each.tree for each in reversed(commits)]
    given = [row for row in await world.client.audit(run) if row.what == "approve"]
    assert given[0].detail["commits"].split() == [each.tree for each in commits]
    await world.client.undo(run, wire.Act(by=USER))
    assert run_git(user.repo, "log", "-1", "--format=%s", "main") == "their work"
    assert not (user.repo / "notes.txt").exists()


async def test_a_rebase_that_would_land_a_secret_for_good_is_refused_by_its_turn(
    world: World,
) -> None:
    user, run = await reviewed(world, "careless")
    await user.changes(run, "no keys in files")
    shown = await user.review(run)
    with pytest.raises(NotNow, match=r"turn 1 held in config\.py what .* line 1 holds"):
        await world.client.commits(run)
    body = wire.Approve(
        review=shown.id, tree=shown.result_tree, style="rebase", commits=(shown.result_tree,)
    )
    with pytest.raises(NotNow, match="A rebase would land it for good"):
        await world.client.approve(run, body)
