"""How an agent of the Agent Client Protocol is set up from its settings."""

import os
import subprocess
from pathlib import Path

import msgspec

from harnesses import catalog, registry
from harnesses.base import Launch, Send
from tests.support import agents

KEY = "run-key-9d2f7c"
GREETED = '{"jsonrpc":"2.0","id":1,"result":{"protocolVersion":1}}'


def launched(**settings: object) -> Launch:
    given = {"command": ["agent"], **settings}
    return registry.load("acp").launch(agents.brief_in(Path("/swarm"), settings=given, key=KEY))


def test_the_key_has_a_variable_of_ours_where_the_settings_name_none() -> None:
    assert launched().env["SWARM_TOKEN"] == KEY


def test_the_key_stands_only_where_the_program_looks_for_it() -> None:
    assert [n for n, v in launched(env={"API_KEY": "$key"}).env.items() if KEY in v] == ["API_KEY"]


def test_shells_of_the_agent_forget_each_variable_that_holds_the_key() -> None:
    launch = launched(env={"API_KEY": "$key", "HEADER": "Bearer $key"})
    assert launch.files["shell.sh"].endswith(b" || unset API_KEY HEADER\n")


def test_a_program_that_is_a_shell_script_has_the_key_and_its_shells_have_not(
    tmp_path: Path,
) -> None:
    launch = launched()
    forget = tmp_path / "shell.sh"
    forget.write_bytes(launch.files["shell.sh"])
    program = tmp_path / "agent"
    program.write_text(
        '#!/bin/bash\necho "has $SWARM_TOKEN"; bash -c \'echo "sees $SWARM_TOKEN"\'\n'
    )
    program.chmod(0o755)
    start = 'export BASH_ENV="$1" SWARM_STARTED=$$; exec "$2"'
    done = subprocess.run(
        ["bash", "-c", start, "bash", str(forget), str(program)],
        env={"PATH": os.environ["PATH"], "SWARM_TOKEN": KEY},
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout == f"has {KEY}\nsees \n"


def test_files_of_its_home_are_written_anew_before_every_turn() -> None:
    launch = launched(home={".agent/settings.json": {"model": "$model"}})
    assert b'>"$HOME/.agent/settings.json"' in launch.files["prepare.sh"]
    assert launch.files["home-0"] == b'{"model":"claude-sonnet-4-5"}'


def test_what_an_agent_takes_nowhere_else_goes_with_the_opening() -> None:
    given = {"command": ["agent"], "meta": {"of": {"model": "$model"}}}
    session = registry.load("acp").session(agents.brief_in(Path("/swarm"), settings=given))
    (sent,) = [item for item in session.receive(GREETED) if isinstance(item, Send)]
    params = msgspec.json.decode(sent.line)["params"]
    assert params["_meta"] == {"of": {"model": "claude-sonnet-4-5"}}


def test_the_shipped_schema_is_that_of_an_entry() -> None:
    shipped = Path(catalog.__file__).parent / "agents" / "agent.schema.json"
    told = msgspec.json.decode(shipped.read_bytes())
    told.pop("$schema")
    assert told == catalog.Agent.model_json_schema()
