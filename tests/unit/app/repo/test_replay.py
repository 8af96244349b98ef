"""A change lands turn by turn where no turn holds more than the whole shows, and the last is what was approved."""

from collections.abc import Mapping, Sequence
from pathlib import Path

import msgspec
import pytest

from app.domain.ids import ReviewId
from app.domain.policy import SHIPPED
from app.domain.review import Review, TurnCommit
from app.repo.errors import Unreplayable
from app.repo.hub import Hub
from app.repo.ingest import Snapshot
from app.repo.merges import Below, Landing, Proposal, land
from app.repo.replay import Left, replay
from app.repo.repository import Repository
from app.repo.undoing import undo
from tests.support.attacks import attack
from tests.support.repos import RUN, WORDS, AgentAtWork, commit, landing, run_git

Edits = Mapping[str, str | bytes]
TOKEN = "ghp_" + "q7Rk2ZbT9wXc4VnM1sLp8JdF6hGyE0aUiC3o"
FIX = "def add(a, b):\n    return a + b\n"


def reviewed(agent: AgentAtWork, snapshot: Snapshot, proposal: Proposal) -> Review:
    return Review(
        id=ReviewId(f"{RUN}-r1"),
        run=RUN,
        round=1,
        base=agent.base,
        snapshot=snapshot.commit,
        target="main",
        tip=proposal.tip,
        result_tree=proposal.result_tree,
        conflicts=proposal.conflicts,
        files=proposal.files,
        findings=proposal.findings,
        opened=0.0,
    )


async def worked(agent: AgentAtWork, *turns: Edits) -> tuple[Proposal, tuple[TurnCommit, ...]]:
    """What landing these turns would be, as a whole and commit by commit."""
    left = list[Left]()
    for number, edits in enumerate(turns, 1):
        snapshot = await agent.snapshot(edits)
        left.append(Left(turn=number, snapshot=snapshot.commit))
    proposal = await agent.propose(snapshot)
    return proposal, await replay(agent.hub, reviewed(agent, snapshot, proposal), left, SHIPPED)


def rebase(proposal: Proposal, commits: Sequence[TurnCommit]) -> Landing:
    below = (
        Below(tree=each.tree, words=msgspec.structs.replace(WORDS, message=f"turn {each.turn}"))
        for each in commits[:-1]
    )
    return msgspec.structs.replace(landing(proposal), below=tuple(below))


@pytest.fixture
async def line(agent: AgentAtWork, user: Path) -> Landing:
    """Two turns to be landed on a target that moved meanwhile."""
    commit(user, {"theirs.py": "x\n"})
    return rebase(*await worked(agent, {"one.py": "1\n"}, {"src/app.py": FIX}))


async def test_each_turn_is_a_commit_on_the_targets_tip(
    line: Landing, repo: Repository, hub: Hub, user: Path
) -> None:
    await land(repo, hub, line)
    assert run_git(user, "log", "--format=%an %s", f"{line.tip}..main") == "Ada Fix add\nAda turn 1"
    assert run_git(user, "diff", "--name-only", "main~2", "main~1") == "one.py"
    assert run_git(user, "diff", "--name-only", "main~1", "main") == "src/app.py"
    assert run_git(user, "rev-parse", "main~2") == line.tip


async def test_the_last_commit_has_exactly_the_approved_tree(
    line: Landing, repo: Repository, hub: Hub, user: Path
) -> None:
    await land(repo, hub, line)
    assert run_git(user, "rev-parse", "main^{tree}") == line.result_tree
    assert (user / "src/app.py").read_text() == FIX


async def test_landed_again_it_is_the_same_line(line: Landing, repo: Repository, hub: Hub) -> None:
    assert await land(repo, hub, line) == await land(repo, hub, line)


async def test_a_change_of_one_turn_is_the_squash(
    agent: AgentAtWork, repo: Repository, hub: Hub
) -> None:
    proposal, commits = await worked(agent, {"src/app.py": FIX})
    assert [each.tree for each in commits] == [proposal.result_tree]
    assert await land(repo, hub, rebase(proposal, commits)) == await land(
        repo, hub, landing(proposal)
    )


async def test_a_turn_that_left_things_as_they_were_has_no_commit(agent: AgentAtWork) -> None:
    _proposal, commits = await worked(agent, {"one.py": "1\n"}, {}, {"two.py": "2\n"}, {})
    assert [(each.turn, each.files[0].path) for each in commits] == [(1, "one.py"), (3, "two.py")]


async def test_what_followed_the_last_turn_lands_as_its_own(agent: AgentAtWork) -> None:
    first = await agent.snapshot({"one.py": "1\n"})
    last = await agent.snapshot({"by_hand.py": "2\n"})
    proposal = await agent.propose(last)
    left = [Left(turn=1, snapshot=first.commit)]
    commits = await replay(agent.hub, reviewed(agent, last, proposal), left, SHIPPED)
    assert [(each.turn, each.tree) for each in commits] == [(1, proposal.result_tree)]


@attack("G39")
@pytest.mark.parametrize(
    ("first", "then", "named"),
    [
        (
            {"config.py": f"key = '{TOKEN}'\n"},
            {"config.py": "key = environ['KEY']\n"},
            r"turn 1 held in config\.py what the whole change does not show: line 1 holds .*GitHub",
        ),
        (
            {"notes.txt": b"\0\1\2"},
            {"notes.txt": "words\n"},
            r"turn 1 held in notes\.txt .*cannot be reviewed as text",
        ),
        (
            {"README.md": "# Mine\n", "one.py": "1\n"},
            {"README.md": "# Project\n"},
            r"turn 1 held in README\.md .*as before in the end",
        ),
        (
            {"one.py": "a = 1  # \u202e\n"},
            {"one.py": "a = 1\n"},
            r"turn 1 held in one\.py .*line 1",
        ),
    ],
    ids=["a secret", "what a person has to confirm", "a file", "a text that deceives"],
)
async def test_what_a_later_turn_took_out_is_never_landed(
    agent: AgentAtWork, first: Edits, then: Edits, named: str
) -> None:
    with pytest.raises(Unreplayable, match=named) as caught:
        await worked(agent, first, then)
    assert "Land it as one commit" in caught.value.hint


async def test_a_turn_that_conflicts_where_the_whole_does_not_is_named_with_its_files(
    agent: AgentAtWork, user: Path
) -> None:
    commit(user, {"src/app.py": "def add(a, b):\n    return sum((a, b))\n"})
    theirs = {"src/app.py": "def add(a, b):\n    return sum((a, b))\n", "one.py": "1\n"}
    with pytest.raises(Unreplayable, match=r"turn 1 left conflicts with main in src/app\.py"):
        await worked(agent, {"src/app.py": FIX}, theirs)


async def test_undo_takes_the_whole_line_back(
    line: Landing, repo: Repository, hub: Hub, user: Path
) -> None:
    landed = await land(repo, hub, line)
    done = await undo(repo, hub, landed, run=RUN, target="main", words=WORDS, before=line.tip)
    assert (done.how, run_git(user, "rev-parse", "main")) == ("moved back", line.tip)
    assert not (user / "one.py").exists()


@pytest.mark.parametrize("which", ["main", "main~1"])
async def test_a_line_of_which_others_may_have_a_part_is_reversed_as_a_whole(
    line: Landing, repo: Repository, hub: Hub, user: Path, which: str
) -> None:
    landed = await land(repo, hub, line)
    run_git(user, "update-ref", "refs/remotes/origin/main", which)
    done = await undo(repo, hub, landed, run=RUN, target="main", words=WORDS, before=line.tip)
    assert done.how == "reverted"
    assert run_git(user, "rev-parse", "main~1") == landed
    assert run_git(user, "diff", "--stat", line.tip, "main") == ""
