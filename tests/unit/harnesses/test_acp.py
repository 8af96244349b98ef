"""How an agent of the Agent Client Protocol is set up from its settings."""

import os
import subprocess
from pathlib import Path

import msgspec

from harnesses import catalog, registry
from harnesses.base import Launch, Send, Session
from harnesses.events import AgentEvent, MessageChunk, PermissionAsked
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


def test_its_own_preparation_runs_as_it_is_after_its_home_is_laid() -> None:
    launch = launched(home={".agent/x": "y"}, prepare='mv "$HOME/a" "$HOME/b"\n')
    assert launch.files["prepare.sh"].endswith(b'|| return\nmv "$HOME/a" "$HOME/b"\n')


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


LOADS = '{"jsonrpc":"2.0","id":1,"result":{"protocolVersion":1,"agentCapabilities":{"loadSession":true}}}'
LOADED = '{"jsonrpc":"2.0","id":2,"result":{}}'


def said_before(text: str) -> str:
    content = {"type": "text", "text": text}
    update = {"sessionUpdate": "agent_message_chunk", "content": content}
    params = {"sessionId": "c1", "update": update}
    return msgspec.json.encode({"method": "session/update", "params": params}).decode()


def resuming() -> tuple[Session, list[AgentEvent | Send]]:
    """A session whose agent takes up a conversation by saying it all again, and has said that it has."""
    given = {"command": ["agent"]}
    brief = agents.brief_in(Path("/swarm"), settings=given, conversation="c1")
    session = registry.load("acp").session(brief)
    list(session.receive(LOADS))
    return session, list(session.receive(LOADED))


def answered(question: AgentEvent | Send) -> str:
    """The answer of an agent that does not know what it is asked."""
    assert isinstance(question, Send)
    number = msgspec.json.decode(question.line)["id"]
    return f'{{"jsonrpc":"2.0","id":{number},"error":{{"code":-32601,"message":"?"}}}}'


def test_what_an_agent_repeats_of_a_conversation_is_not_told_again() -> None:
    session, (_, first) = resuming()
    assert not list(session.receive(said_before("once")))
    (second,) = session.receive(answered(first))
    assert not list(session.receive(said_before("more of it")))
    (third,) = session.receive(answered(second))
    assert list(session.receive(answered(third))) == [Send("prompt c1")]
    assert list(session.receive(said_before("now"))) == [MessageChunk("now")]


def test_no_two_questions_are_the_same_line() -> None:
    session, (_, first) = resuming()
    list(session.receive(said_before("once")))
    (second,) = session.receive(answered(first))
    assert first != second


def test_an_answer_to_something_else_is_no_sign_that_all_was_repeated() -> None:
    session, _ = resuming()
    assert not list(session.receive('{"jsonrpc":"2.0","id":77,"error":{"code":-32601}}'))


def test_who_was_told_to_stop_meanwhile_is_stopped_once_the_turn_begins() -> None:
    session, (_, first) = resuming()
    assert list(session.interrupt())
    prompt, cancel = session.receive(answered(first))
    assert prompt == Send("prompt c1")
    assert isinstance(cancel, Send)
    assert "session/cancel" in cancel.line


def asked_by(titles: str, **call: object) -> PermissionAsked:
    """The question about that tool call."""
    given = {"command": ["agent"], "titles": titles}
    session = registry.load("acp").session(agents.brief_in(Path("/swarm"), settings=given))
    list(session.receive(GREETED))
    list(session.receive('{"jsonrpc":"2.0","id":2,"result":{"sessionId":"c1"}}'))
    params = {"sessionId": "c1", "toolCall": {"toolCallId": "t", **call}, "options": []}
    request = {"id": 0, "method": "session/request_permission", "params": params}
    said = session.receive(msgspec.json.encode(request).decode())
    (question,) = [item for item in said if isinstance(item, PermissionAsked)]
    return question


def test_a_command_line_in_a_title_is_what_rules_about_commands_look_at() -> None:
    question = asked_by("subjects", title="git push", kind="execute")
    assert (question.command, question.name) == ("git push", "execute")


def test_a_title_that_is_the_name_of_a_tool_is_no_command_line() -> None:
    assert asked_by("tools", title="bash", kind="execute").command == ""


def test_a_change_that_is_told_without_its_input_is_shown() -> None:
    change = {"type": "diff", "path": "/swarm/tree/a", "oldText": "one", "newText": "two"}
    question = asked_by("subjects", title="Writing to a", kind="edit", content=[change])
    assert '"newText":"two"' in question.input
