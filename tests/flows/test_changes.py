"""A person wants changes: the agent reads why, goes on in the same conversation, and the newer tree lands."""

from dataclasses import dataclass

import pytest

from app import wire
from app.domain.errors import NeedsHuman, NotFound, NotNow, UsageError
from app.domain.review import Review, Verdict
from app.domain.run import RunState
from tests.support.actions import USER
from tests.support.attacks import attack
from tests.support.leaks import SECRETS
from tests.support.repos import run_git
from tests.support.scripts import edit, scripted
from tests.support.world import World, story

pytestmark = pytest.mark.asyncio(loop_scope="module")

AGENTS = {
    "learner": scripted(
        [edit("work.txt", "first try\n")],
        [edit("work.txt", "second try\n"), edit("told.txt", "{{remembered}} before\n{{prompt}}\n")],
    ),
    "turncoat": scripted(
        [edit(".swarm/config.yaml", "setup: [make]\n")],
        [edit(".swarm/config.yaml", "setup: [make, ./steal]\n")],
    ),
}


@dataclass(frozen=True)
class Mending:
    """Two rounds of one run."""

    first: Review
    second: wire.RunDetail
    told: str


@story
async def mending(world: World) -> Mending:
    user = world.user()
    run = await user.submit(agent="learner")
    first = await user.review(run)
    for line, last, text in ((1, 0, "say it better"), (3, 5, "and here too")):
        new = wire.NewComment(path="work.txt", line=line, last=last, text=text, by=USER)
        await world.client.comment(run, new)
    await user.changes(run, "Not bad, but:")
    await user.until(run, RunState.WORKING)
    second = await user.until(run, RunState.IN_REVIEW)
    return Mending(first, second, await user.file(run, "told.txt"))


async def test_the_agent_is_told_the_note_and_every_comment(mending: Mending) -> None:
    assert mending.told.splitlines()[1:] == [
        "Your change was reviewed. Please mend it:",
        "Not bad, but:",
        "- work.txt:1: say it better",
        "- work.txt:3-5: and here too",
    ]


async def test_it_goes_on_in_the_same_conversation(mending: Mending) -> None:
    assert mending.told.splitlines()[0] == "1 before"


async def test_the_comments_are_marked_as_sent(mending: Mending) -> None:
    assert [comment.sent for comment in mending.second.comments] == [True, True]


async def test_the_first_review_stays_as_it_was_decided(mending: Mending) -> None:
    kept = mending.second.reviews[0]
    assert (kept.verdict, kept.by, kept.note) == (Verdict.CHANGES, USER, "Not bad, but:")
    assert kept.result_tree == mending.first.result_tree


async def test_a_new_review_is_opened_for_the_new_round(mending: Mending) -> None:
    assert [review.id[-3:] for review in mending.second.reviews] == ["-r1", "-r2"]


async def test_the_old_look_cannot_be_approved_any_more(world: World, mending: Mending) -> None:
    old = wire.Approve(review=mending.first.id, tree=mending.first.result_tree, by=USER)
    with pytest.raises(NotNow, match="not what would land now"):
        await world.client.approve(mending.first.run, old)


async def test_the_new_tree_with_the_old_review_is_refused(world: World, mending: Mending) -> None:
    now = mending.second.reviews[-1]
    mixed = wire.Approve(review=mending.first.id, tree=now.result_tree, by=USER)
    with pytest.raises(NotNow, match="not what would land now"):
        await world.client.approve(mending.first.run, mixed)


async def test_changes_need_words(world: World, mending: Mending) -> None:
    with pytest.raises(UsageError, match="nothing to tell the agent"):
        await world.at(mending.second).changes(mending.first.run)


async def test_a_range_that_ends_before_it_begins_is_refused(
    world: World, mending: Mending
) -> None:
    backwards = wire.NewComment(path="work.txt", line=3, last=1, text="?", by=USER)
    with pytest.raises(UsageError, match="a range ends where it begins or later"):
        await world.client.comment(mending.first.run, backwards)


async def test_an_empty_comment_is_refused(world: World, mending: Mending) -> None:
    empty = wire.NewComment(path="work.txt", line=1, text="  ", by=USER)
    with pytest.raises(UsageError, match="the comment is empty"):
        await world.client.comment(mending.first.run, empty)


async def test_what_changed_since_the_first_look_is_a_diff_of_its_own(
    world: World, mending: Mending
) -> None:
    run, seen = mending.first.run, mending.first.result_tree
    diff = (await world.client.diff(run, review=True, since=seen)).decode()
    assert "-first try\n+second try\n" in diff
    assert diff.count("diff --git") == 2


async def test_a_tree_that_nobody_was_shown_cannot_be_compared_with(
    world: World, mending: Mending
) -> None:
    with pytest.raises(NotFound, match="is no tree that a review"):
        await world.client.diff(mending.first.run, review=True, since="1" * 40)


async def test_a_commit_message_with_a_key_in_it_is_refused(world: World, mending: Mending) -> None:
    review = mending.second.reviews[-1]
    words = f"use {SECRETS['github-token']}"
    body = wire.Approve(review=review.id, tree=review.result_tree, message=words, by=USER)
    with pytest.raises(UsageError, match="the commit message"):
        await world.client.approve(review.run, body)


async def test_what_lands_is_the_newer_tree(world: World, mending: Mending) -> None:
    user = world.at(mending.second)
    await user.approve(mending.first.run, message="Say it better\n\nAs the review asked.")
    assert run_git(user.repo, "show", "main:work.txt") == "second try"
    assert run_git(user.repo, "log", "-1", "--format=%s/%b", "main").startswith(
        "Say it better/As the review asked.\n"
    )
    with pytest.raises(NotNow, match="decided already: approve by ada"):
        await user.changes(mending.first.run, "too late")


@story
async def turned(world: World) -> Mending:
    """The agent puts something else under the name of a configuration that a person looked at and confirmed."""
    user = world.user()
    run = await user.submit(agent="turncoat")
    first = await user.review(run)
    await user.changes(run, "nearly")
    await user.until(run, RunState.WORKING)
    second = await user.until(run, RunState.IN_REVIEW)
    told = await user.file(run, ".swarm/config.yaml")
    return Mending(first, second, told)


@attack("G38")
async def test_a_confirmation_is_of_a_content_and_not_of_a_name(
    world: World, turned: Mending
) -> None:
    now = turned.second.reviews[-1]
    named = [[one.path for one in look.findings] for look in (turned.first, now)]
    assert named == [[".swarm/config.yaml"]] * 2  # by name they are the same,
    assert "./steal" in turned.told  # and are not
    confirmed = (".swarm/config.yaml",)
    for review, tree in ((turned.first, turned.first.result_tree), (turned.first, now.result_tree)):
        old = wire.Approve(review=review.id, tree=tree, confirmed=confirmed, by=USER)
        with pytest.raises(NotNow, match="not what would land now"):
            await world.client.approve(turned.first.run, old)
    with pytest.raises(NeedsHuman, match=r"\.swarm/config\.yaml"):
        await world.client.approve(
            turned.first.run, wire.Approve(review=now.id, tree=now.result_tree, by=USER)
        )
