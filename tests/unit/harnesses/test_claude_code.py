"""How Claude Code is started."""

import json
import stat
from pathlib import Path
from typing import Any

import pytest

from harnesses.base import Launch
from harnesses.errors import BadSettings
from harnesses.registry import load
from tests.support.agents import brief_in, start

FAKE = """#!/bin/sh
ls /proc/self/fd | tr '\\n' ' '; echo
echo "$BASH_ENV"
for word; do echo "arg $word"; done
while IFS= read -r line; do echo "in $line"; case $line in stop*) exit 7;; esac; done
echo end
"""


def launch(**changes: Any) -> Launch:
    return load("claude-code").launch(brief_in(Path("/swarm"), **changes))


def flag(made: Launch, name: str) -> str:
    return made.argv[made.argv.index(name) + 1]


def test_questions_come_over_standard_input_when_it_shall_ask() -> None:
    made = launch(ask=True)
    assert flag(made, "--permission-prompt-tool") == "stdio"
    assert "IS_SANDBOX" not in made.env
    assert made.interactive


def test_it_acts_freely_when_it_shall_not_ask() -> None:
    assert flag(launch(ask=False), "--permission-mode") == "bypassPermissions"


def test_files_of_the_repository_cannot_redirect_it() -> None:
    made = launch()
    assert flag(made, "--setting-sources") == "user"
    assert "--strict-mcp-config" in made.argv
    assert made.env["CLAUDE_CODE_PROVIDER_MANAGED_BY_HOST"] == "1"


def test_its_model_calls_go_to_the_gateway() -> None:
    made = launch(gateway="http://127.0.0.1:8080/")
    assert made.env["ANTHROPIC_BASE_URL"] == "http://127.0.0.1:8080/anthropic"
    assert made.env["ANTHROPIC_AUTH_TOKEN"] == "run-key-9d2f7c"


def test_it_keeps_its_memory_in_the_state_directory() -> None:
    made = launch()
    assert made.env["CLAUDE_CONFIG_DIR"] == "/swarm/state/claude"
    assert made.env["HOME"] == "/swarm/state/home"


def test_each_turn_without_a_conversation_gets_an_id_of_its_own() -> None:
    ids = {word for turn in (1, 2) for word in launch(turn=turn).argv if "--session-id" in word}
    assert len(ids) == 2


def test_a_conversation_is_resumed_by_its_id() -> None:
    known = "86df6add-7bc9-5b74-97a1-97bc11e86387"
    words = launch(conversation=known).argv
    assert f"--resume={known}" in words
    assert not [word for word in words if "--session-id" in word]


def test_no_other_model_than_the_runs_is_asked() -> None:
    made = launch(model="local-7b")
    assert "--model=local-7b" in made.argv
    assert made.env["ANTHROPIC_DEFAULT_HAIKU_MODEL"] == "local-7b"


def test_a_model_that_looks_like_a_flag_stays_a_value() -> None:
    assert "--model=--bare" in launch(model="--bare").argv


def test_the_prompt_is_one_line_of_its_protocol() -> None:
    prompt = launch(prompt="two\nlines").files["opening.jsonl"]
    assert json.loads(prompt)["message"]["content"] == "two\nlines"
    assert prompt.count(b"\n") == 1


def test_instructions_of_agent_and_repository_are_passed_in_a_file() -> None:
    made = launch(instructions="Use tabs.", settings={"instructions": "Be brief."})
    assert made.files["instructions.md"] == b"Be brief.\n\nUse tabs."
    assert flag(made, "--append-system-prompt-file") == "/swarm/launch-1/instructions.md"


def test_without_instructions_there_is_no_file() -> None:
    assert "instructions.md" not in launch().files


def test_settings_become_flags() -> None:
    made = launch(
        settings={
            "effort": "low",
            "max_turns": 5,
            "allowed_tools": ["Bash(git *)", "Read"],
            "disallowed_tools": ["WebFetch"],
            "small_model": "haiku",
            "env": {"MAX_THINKING_TOKENS": "1000"},
        }
    )
    assert {
        "--effort=low",
        "--max-turns=5",
        "--allowedTools=Bash(git *),Read",
        "--disallowedTools=WebFetch",
    } <= set(made.argv)
    assert made.env["ANTHROPIC_DEFAULT_HAIKU_MODEL"] == "haiku"
    assert made.env["MAX_THINKING_TOKENS"] == "1000"


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"efort": "low"}, r"settings\.efort: unknown key, did you mean effort\?"),
        ({"effort": "huge"}, r"settings\.effort: "),
        ({"max_turns": 0}, r"settings\.max_turns: "),
        (
            {"env": {"ANTHROPIC_BASE_URL": "x"}},
            r"settings\.env: ANTHROPIC_BASE_URL is set by swarm",
        ),
        ({"env": {"HOME": "x"}}, r"settings\.env: HOME is set by swarm"),
    ],
)
def test_wrong_settings_are_refused(settings: dict[str, Any], message: str) -> None:
    with pytest.raises(BadSettings, match=message):
        load("claude-code").check(settings)


async def started(tmp_path: Path, *said: str) -> tuple[list[str], int]:
    """What a stand-in for the program printed, and its exit status, through the real start script."""
    program = tmp_path / "claude"
    program.write_text(FAKE)
    program.chmod(program.stat().st_mode | stat.S_IXUSR)
    brief = brief_in(tmp_path, prompt="go", settings={"command": str(program)})
    process = await start(load("claude-code").launch(brief), brief)
    printed = []
    async for line in process.lines():
        printed.append(line.text)
        if line.text.startswith("in {"):
            for word in said:
                await process.send(word)
            if "stop" not in said:
                process.hang_up()
    code = await process.process.wait()
    process.hang_up()
    return printed, code


async def test_the_program_reads_its_prompt_first_and_answers_after_it(tmp_path: Path) -> None:
    printed, _ = await started(tmp_path, "one", "two")
    heard = [line for line in printed if line.startswith("in ")]
    assert json.loads(heard[0].removeprefix("in "))["message"]["content"] == "go"
    assert heard[1:] == ["in one", "in two"]


async def test_the_program_ends_with_its_own_status_while_its_input_is_open(tmp_path: Path) -> None:
    printed, code = await started(tmp_path, "stop")
    assert code == 7
    assert "end" not in printed


async def test_the_program_sees_the_end_of_its_input(tmp_path: Path) -> None:
    printed, code = await started(tmp_path)
    assert (printed[-1], code) == ("end", 0)


async def test_no_way_to_its_answers_is_left_open_for_the_tools_of_the_agent(
    tmp_path: Path,
) -> None:
    printed, _ = await started(tmp_path)
    assert set(printed[0].split()) <= {"0", "1", "2", "3"}, "3 is the listing itself"


async def test_shells_of_the_agent_forget_the_key(tmp_path: Path) -> None:
    printed, _ = await started(tmp_path)
    assert "unset ANTHROPIC_AUTH_TOKEN" in Path(printed[1]).read_text()
