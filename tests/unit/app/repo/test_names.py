import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.domain.ids import RunId
from app.repo.names import branch_name, free_branch_name, slug
from app.repo.repository import Repository
from tests.support.repos import RUN, run_git


@settings(deadline=None)
@given(st.text())
def test_any_text_becomes_a_plain_short_name(text: str) -> None:
    assert re.fullmatch(r"[a-z0-9]+(-[a-z0-9]+)*", slug(text))
    assert len(slug(text)) <= 40


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("Fix the add() function", "fix-the-add-function"),
        ("Größe ändern", "groe-andern"),
        ("$(rm -rf /)", "rm-rf"),
        ("-x..y\u3000z", "x-y-z"),
        ("日本", "task"),
        ("a" * 60, "a" * 40),
        ("word " * 20, "word-word-word-word-word-word-word-word"),
    ],
)
def test_names_keep_whole_words(text: str, name: str) -> None:
    assert slug(text) == name


def test_runs_of_one_task_have_branches_of_their_own() -> None:
    assert branch_name("Fix it", RunId("k3f9.1")) == "swarm/fix-it-k3f9"
    assert branch_name("Fix it", RunId("k3f9.2")) == "swarm/fix-it-k3f9-2"


async def test_a_user_who_owns_a_branch_called_swarm_gets_no_folder(
    repo: Repository,
) -> None:
    assert await free_branch_name(repo, "Fix it", RUN) == "swarm/fix-it-k3f9"
    run_git(repo.root, "branch", "swarm")
    assert await free_branch_name(repo, "Fix it", RUN) == "swarm-fix-it-k3f9"
