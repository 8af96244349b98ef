"""The shipped Dockerfiles build, and an agent's program runs in a hardened box made of them."""

import pytest
from docker import APIClient

from sandboxes import hostimage, images
from tests.support.boxes import House, ran
from tests.support.node_image import node_image

# The first run builds a whole operating system; later ones find everything built.
pytestmark = [pytest.mark.docker, pytest.mark.timeout(1200), pytest.mark.xdist_group("images")]


async def built(agent: str) -> str:
    base = node_image()
    await images.build([agent], base=base, mark_current=False)
    return images.tag_of(agent, base=base)


async def test_the_base_image_holds_the_usual_tools(house: House) -> None:
    sandbox = await house.open(house.spec(image=await built("base")))
    tools = "bash curl git jq make node npm patch python3 rg sh timeout"
    written, _ = await ran(
        sandbox, f"for tool in {tools}; do command -v $tool || echo no $tool; done"
    )
    assert [line for line in written if line.startswith("no ")] == []


async def test_git_trusts_the_tree_whoever_owns_it(house: House) -> None:
    sandbox = await house.open(house.spec(image=await built("base")))
    written, _ = await ran(sandbox, "git config --system --get-all safe.directory")
    assert written == ["*"]


async def test_the_agents_user_has_a_name(house: House) -> None:
    sandbox = await house.open(house.spec(image=await built("base")))
    written, _ = await ran(sandbox, "getent passwd 1000 | cut -d: -f1")
    assert written == ["agent"]


@pytest.mark.parametrize(
    ("agent", "command", "said"),
    [
        ("claude-code", "claude", "2.1.329 (Claude Code)"),
        ("codex", "codex", "codex-cli 0.169.0"),
        ("opencode", "HOME=/tmp opencode", "1.18.33"),
    ],
)
async def test_an_agent_is_of_the_exact_version(
    house: House, agent: str, command: str, said: str
) -> None:
    sandbox = await house.open(house.spec(image=await built(agent)))
    assert (await ran(sandbox, f"{command} --version"))[0] == [said]


async def test_building_again_builds_nothing(house: House) -> None:
    said: list[str] = []
    await built("claude-code")
    await images.build(["claude-code"], base=node_image(), say=said.append, mark_current=False)
    assert [line.endswith("is there") for line in said] == [True, True]


async def test_what_was_built_is_not_missing() -> None:
    await built("base")
    assert await images.missing(["base"], base=node_image()) == []


async def test_what_was_never_built_is_missing() -> None:
    assert await images.missing(["base"], base="never-built") == ["base"]


async def test_an_image_of_the_hosts_files_is_made_once(engine: APIClient) -> None:
    name = "swarm-test-host"
    tags = {await hostimage.build(name) for _ in range(2)}
    kept = {tag for one in engine.images(name) for tag in one["RepoTags"]}
    for tag in kept:
        engine.remove_image(tag)
    assert kept == tags


async def test_the_newest_build_is_current(engine: APIClient) -> None:
    base = node_image()
    await images.build(["base"], base=base, mark_current=False)
    before = engine.images(images.current("base"), quiet=True)
    try:
        await images.build(["base"], base=base)
        assert engine.images(images.current("base"), quiet=True) == engine.images(
            images.tag_of("base", base=base), quiet=True
        )
    finally:
        engine.remove_image(images.current("base"), noprune=True)
        for one in before:
            engine.tag(one, images.current("base").partition(":")[0], "current")
