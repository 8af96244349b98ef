"""A repository with an image of its own: it is used once a person approved it, and only as it was approved."""

import asyncio
import json
import subprocess
from collections.abc import AsyncIterator

import pytest
from docker import APIClient

from app.client.client import Swarm
from app.domain.errors import ConfigError, EnvironmentProblem, NeedsHuman, NotNow
from app.domain.run import RunState
from app.wire import ApproveImage
from sandboxes import images, registry
from sandboxes.errors import SandboxFailed
from tests.support.actions import SwarmActions
from tests.support.attacks import attack
from tests.support.home import Home, supervised
from tests.support.images import require_docker, test_image
from tests.support.node_image import node_image
from tests.support.repos import make_repository
from tests.support.scripts import edit, scripted
from tests.support.world import story, world_at

# Building takes from Debian and npm, and under load its time.
pytestmark = [
    pytest.mark.docker,
    pytest.mark.timeout(1200),
    pytest.mark.xdist_group("images"),
    pytest.mark.asyncio(loop_scope="module"),
]

NEEDS_HUMAN = 3
CERTIFICATES = "/usr/local/share/host-certificates.pem"
CONFIG = "image:\n  dockerfile: .swarm/Dockerfile\n  files: [tools/own-tool]\n"
AGENTS = {
    "user-of-tools": scripted([{"run": "own-tool > told.txt; node --version >> told.txt"}]),
    "turncoat": scripted([edit(".swarm/Dockerfile", "FROM scratch\nCOPY / /\n")]),
}


def dockerfile(base: str) -> str:
    """On what already has Debian's packages, and with no Node: that is swarm's to bring."""
    return (
        f"FROM {base}\nUSER root\nENV CURL_CA_BUNDLE={CERTIFICATES}\n"
        "RUN rm -rf /usr/local/bin/node /usr/local/lib/node_modules\n"
        "COPY tools/own-tool /usr/local/bin/own-tool\n"
    )


class Story:
    """One user, one repository, one supervisor."""

    def __init__(self, home: Home, client: Swarm, user: SwarmActions) -> None:
        self.home = home
        self.client = client
        self.user = user

    async def swarm(self, *words: str) -> subprocess.CompletedProcess[str]:
        """The command line, in the repository."""
        return await asyncio.to_thread(self.home.swarm, *words, cwd=self.user.repo, seconds=900)


@story
async def told(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Story]:
    require_docker()
    await images.build(["base"], base=node_image(), mark_current=False)
    below = images.tag_of("base", base=node_image())
    root = tmp_path_factory.mktemp("own-image")
    settings = {"sandbox": {"driver": "docker"}, "agent": "user-of-tools"}
    with world_at(root, agents=AGENTS, settings=settings) as home:
        files = {".swarm/config.yaml": CONFIG, ".swarm/Dockerfile": dockerfile(below)}
        tool = "#!/bin/sh\necho the repository has this\n"
        project = make_repository(root / "project", {**files, "tools/own-tool": tool})
        async with supervised(home) as client:
            yield Story(home, client, SwarmActions(client, project))
        driver = registry.load("docker", root)
        owner = (home.state / "installation").read_text().strip()
        for name in await driver.names(owner):
            await driver.remove(name, owner)
        await driver.close()


class Refused:
    """What the command line said before anything was approved."""

    run: subprocess.CompletedProcess[str]
    approve: subprocess.CompletedProcess[str]


@story
async def refused(told: Story) -> Refused:
    said = Refused()
    said.run = await told.swarm("run", "Use the tool")
    said.approve = await told.swarm("image", "approve")
    return said


class Approved:
    """What came of the approval: the words of the command line, and what the agent's programs said."""

    digest: str
    built: subprocess.CompletedProcess[str]
    said: list[str]


@story
async def approved(told: Story, refused: Refused) -> Approved:
    del refused  # Comes before.
    seen = Approved()
    seen.digest = (await told.client.image(str(told.user.repo))).digest
    words = ("image", "approve", "base", "--digest", seen.digest, "--json")
    seen.built = await told.swarm(*words)
    assert seen.built.returncode == 0, seen.built.stderr
    run = await told.user.submit()
    await told.user.until(run, RunState.IN_REVIEW)
    seen.said = (await told.user.file(run, "told.txt")).splitlines()
    return seen


async def test_a_run_is_refused_until_the_image_is_approved(told: Story, refused: Refused) -> None:
    assert refused.run.returncode == NEEDS_HUMAN
    assert "nobody approved" in refused.run.stderr
    assert f"swarm image approve --repo {told.user.repo}" in refused.run.stderr


async def test_all_that_is_to_be_approved_is_shown(refused: Refused) -> None:
    assert refused.approve.returncode == NEEDS_HUMAN
    for line in ("--- .swarm/Dockerfile", "--- tools/own-tool", "echo the repository has this"):
        assert line in refused.approve.stderr


async def test_only_files_that_are_named_get_into_a_build(told: Story, refused: Refused) -> None:
    del refused
    wish = await told.client.image(str(told.user.repo))
    assert [file.path for file in wish.image.files] == [".swarm/Dockerfile", "tools/own-tool"]


async def test_another_digest_than_the_shown_one_approves_nothing(told: Story) -> None:
    body = ApproveImage(repo=str(told.user.repo), digest="0" * 64, by="ada")
    with pytest.raises(NotNow, match="has changed since"):
        await told.client.approve_image(body)
    assert (await told.client.image(body.repo)).approved_by == ""


async def test_an_approved_image_that_is_not_built_is_told(told: Story) -> None:
    project = make_repository(
        told.home.root / "named", {".swarm/config.yaml": f"image: {{name: '{test_image()}'}}\n"}
    )
    wish = await told.client.image(str(project))
    await told.client.approve_image(ApproveImage(repo=wish.repo, digest=wish.digest, by="ada"))
    with pytest.raises(EnvironmentProblem, match="not on this machine") as refused:
        await SwarmActions(told.client, project).submit()
    assert "swarm image approve base" in refused.value.hint


async def test_an_image_of_another_system_is_refused_with_the_reason() -> None:
    said: list[str] = []
    with pytest.raises(SandboxFailed, match="could not be built"):
        await images.build(["base"], base=test_image(), say=said.append, mark_current=False)
    words = "agents need an image of Debian or Ubuntu: here is no apt-get"
    # Docker wraps what goes to standard error in colours.
    assert any(line.removeprefix("\x1b[91m").startswith(words) for line in said)


async def test_what_was_approved_is_built(approved: Approved) -> None:
    assert json.loads(approved.built.stdout)["digest"] == approved.digest


async def test_agents_have_the_repositorys_tools(approved: Approved) -> None:
    assert approved.said[0] == "the repository has this"


async def test_agents_have_the_node_they_need_where_the_image_has_none(approved: Approved) -> None:
    assert approved.said[1] == "v22.23.3"


async def test_who_approved_what_is_in_the_audit(told: Story, approved: Approved) -> None:
    rows = [row for row in await told.client.audit() if row.what == "image approved"]
    assert approved.digest in {row.detail["digest"] for row in rows}


@attack("C14", "G38")
async def test_a_dockerfile_that_an_agent_changed_is_not_built_before_it_is_approved_again(
    told: Story, approved: Approved
) -> None:
    run = await told.user.submit(agent="turncoat")
    await told.user.until(run, RunState.IN_REVIEW)
    await told.user.approve(run, confirmed=(".swarm/Dockerfile",))
    await told.user.settled(run)
    with pytest.raises(NeedsHuman, match="nobody approved"):
        await told.user.submit()
    fresh = await told.client.image(str(told.user.repo))
    assert fresh.digest != approved.digest
    assert (fresh.approved_by, await images.there(fresh.base)) == ("", False)


async def test_a_name_is_approved_with_the_content_it_has_now(
    told: Story, engine: APIClient
) -> None:
    project = make_repository(
        told.home.root / "moving", {".swarm/config.yaml": "image: {name: 'swarm-test-moving'}\n"}
    )
    name = "swarm-test-moving"
    try:
        engine.tag(test_image(), name)
        wish = await told.client.image(str(project))
        await told.client.approve_image(ApproveImage(repo=wish.repo, digest=wish.digest, by="ada"))
        engine.tag(node_image(), name)
        with pytest.raises(NeedsHuman):
            await SwarmActions(told.client, project).submit()
    finally:
        engine.remove_image(name)


async def test_of_a_devcontainer_only_the_image_is_taken(told: Story) -> None:
    said = f'{{ // a comment\n "image": "{test_image()}", "postCreateCommand": "make", }}'
    config = "image: {devcontainer: .devcontainer/devcontainer.json}\n"
    project = make_repository(
        told.home.root / "dev",
        {".swarm/config.yaml": config, ".devcontainer/devcontainer.json": said},
    )
    found = (await told.client.image(str(project))).image
    assert found.image == await images.id_of(test_image())
    assert found.notes == ("postCreateCommand of .devcontainer/devcontainer.json is not obeyed",)


async def test_a_file_that_is_not_there_is_named(told: Story) -> None:
    config = {".swarm/config.yaml": "image: {dockerfile: Dockerfil}\n"}
    project = make_repository(told.home.root / "lost", config)
    with pytest.raises(ConfigError, match="`image` names Dockerfil, and lost has no such file"):
        await SwarmActions(told.client, project).submit()
