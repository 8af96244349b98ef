"""What the scripted model has the real agents do, each with its own tools."""

from collections.abc import Mapping

from app.gateway.rehearsal_script import Fault, FaultKind, Tokens, ToolUse, Turn

USAGE = Tokens(input=9_000, output=250)
AGENTS = ("claude-code", "codex", "opencode")
"""One for each dialect."""
MORE = ("claude-agent-acp", "qwen-code", "gemini-cli", "mini-swe-agent")
ALL = (*AGENTS, *MORE)
_CLAUDE = ("claude-code", "claude-agent-acp")
_GEMINI = ("gemini-cli", "qwen-code")
"""One was made from the other."""
APP = "src/app.py"
_ENVIRONMENTS = "cat /proc/[0-9]*/environ 2>/dev/null | tr '\\0' '\\n'"
_PLACES = "/workspace /state /swarm /tmp /run /etc /home /var"
LOOK = (
    "env | sort > seen-env.txt; echo looked > looked.txt; "
    # In brackets, so that nothing finds these very words.
    f"{{ {_ENVIRONMENTS} | grep -c 'swarm-ru[n]-'; {_ENVIRONMENTS} | grep -c 'sk-rea[l]-'; "
    f"grep -rls 'sk-rea[l]-' {_PLACES} | wc -l; }} > found.txt"
)
"""What it sees of keys: in its shell, in all processes (its run's, the real one), in files (the real one)."""


def task_of(agent: str) -> str:
    """To the letter the same for one agent of each dialect: one line of configuration is all that differs."""
    plan = "mend" if agent in AGENTS else f"{agent}-mend"
    return f"Make add() add [[plan:{plan}]]"


def changes(agent: str, path: str, old: str, new: str) -> ToolUse:
    """A line of a file becomes another."""
    if agent == "mini-swe-agent":
        return runs(agent, f"sed -i 's/{old}/{new}/' {path}")
    if agent == "gemini-cli":
        words = {"file_path": path, "old_string": old, "new_string": new, "instruction": "Mend it"}
        return ToolUse(tool="replace", input=words)
    if agent in (*_CLAUDE, "qwen-code"):
        whole = {"file_path": f"/workspace/{path}", "old_string": old, "new_string": new}
        return ToolUse(tool="edit" if agent == "qwen-code" else "Edit", input=whole)
    return _patch(f"*** Update File: {path}\n@@\n-{old}\n+{new}")


def writes(agent: str, path: str, line: str) -> ToolUse:
    """A new file of one line."""
    if agent in _CLAUDE:
        whole = {"file_path": f"/workspace/{path}", "content": f"{line}\n"}
        return ToolUse(tool="Write", input=whole)
    if agent == "qwen-code":
        return changes(agent, path, "", f"{line}\n")
    if agent == "mini-swe-agent":
        return runs(agent, f"echo '{line}' >{path}")
    if agent == "gemini-cli":
        return ToolUse(tool="write_file", input={"file_path": path, "content": f"{line}\n"})
    return _patch(f"*** Add File: {path}\n+{line}")


def runs(agent: str, command: str) -> ToolUse:
    if agent == "codex":
        return ToolUse(tool="exec_command", input={"cmd": command})
    words: dict[str, object] = {"command": command, "description": "Look around"}
    if agent in _GEMINI:
        return ToolUse(tool="run_shell_command", input={**words, "is_background": False})
    return ToolUse(tool="Bash" if agent in _CLAUDE else "bash", input=words)


def _patch(body: str) -> ToolUse:
    """As Codex takes it, plain, and as opencode does."""
    patch = f"*** Begin Patch\n{body}\n*** End Patch"
    return ToolUse(tool="apply_patch", text=patch, input={"patchText": patch})


def _faulty(kind: FaultKind, times: int = 0) -> Turn:
    return Turn(say="Now?", usage=USAGE, fault=Fault(kind=kind, times=times))


def _mend() -> tuple[Turn, ...]:
    """The same for every agent: each uses the tools it knows, and is told that the others do not exist.

    Claude Code wants to read a file before it edits it.
    """
    read = ToolUse(tool="Read", input={"file_path": f"/workspace/{APP}"})
    looks = (read, runs("codex", f"cat {APP}"), runs("opencode", f"cat {APP}"))
    old, new = "    return a - b", "    return a + b"
    edits = (changes("claude-code", APP, old, new), changes("codex", APP, old, new))
    return (
        Turn(say="I look first.", use=looks, usage=USAGE),
        Turn(say="I mend it.", use=edits, usage=USAGE),
        Turn(say="I look around.", use=tuple(runs(agent, LOOK) for agent in AGENTS), usage=USAGE),
        Turn(say="add() adds now.", usage=USAGE),
    )


def _own_mend(agent: str) -> tuple[Turn, ...]:
    """The same with the tools of one agent only."""
    tool = "read_file" if agent in _GEMINI else "Read"
    read = ToolUse(tool=tool, input={"file_path": f"/workspace/{APP}"})
    if agent == "mini-swe-agent":
        read = runs(agent, f"cat {APP}")
    edit = changes(agent, APP, "    return a - b", "    return a + b")
    return (
        Turn(say="I look first.", use=(read,), usage=USAGE),
        Turn(say="I mend it.", use=(edit,), usage=USAGE),
        Turn(say="I look around.", use=(runs(agent, LOOK),), usage=USAGE),
        Turn(say="add() adds now.", usage=USAGE),
    )


def _plans(agent: str) -> Mapping[str, tuple[Turn, ...]]:
    note = Turn(say="I write.", use=(writes(agent, "note.txt", "noted"),), usage=USAGE)
    last = Turn(say="The last.", use=(writes(agent, "last.txt", "last"),), usage=USAGE)
    more = Turn(say="And more.", use=(writes(agent, "more.txt", "more"),), usage=USAGE)
    return {
        "again": (more, Turn(say="There is more now.", usage=USAGE)),
        "hands": (
            Turn(say="I write.", use=(writes(agent, "hands.txt", "by hand"),), usage=USAGE),
            Turn(say="That is from your hands.", usage=USAGE),
        ),
        "hang": (note, _faulty("hang")),
        # What was not answered when it was killed, it asks again, or takes for refused and its model asks again.
        "insists": (note, note, Turn(say="It is noted.", usage=USAGE)),
        "endless": tuple(
            Turn(
                use=(writes(agent, f"page-{n}.md", f"page {n}"),),
                usage=Tokens(input=20_000, output=2_000),
            )
            for n in range(40)
        ),
        "shaky": (
            note,
            Turn(say="Cut once.", use=(more.use), usage=USAGE, fault=Fault(kind="cut", times=1)),
            Turn(say="Once not.", use=last.use, usage=USAGE, fault=Fault(kind="500", times=1)),
            # As often as the gateway itself tries, so that the program hears of it.
            Turn(say="Busy.", use=note.use, usage=USAGE, fault=Fault(kind="429", times=3)),
            Turn(say="Done after all.", usage=USAGE, fault=Fault(kind="529", times=3)),
        ),
        "refused": (note, _faulty("401")),
    }


PLANS = {f"{agent}-{name}": plan for agent in ALL for name, plan in _plans(agent).items()}
PLANS["mend"] = _mend()
PLANS |= {f"{agent}-mend": _own_mend(agent) for agent in MORE}
PLANS |= {
    "cached": (
        Turn(
            say="I look.",
            use=(runs("claude-code", "ls"),),
            usage=Tokens(input=40, output=120, cache_write=21_000, cache_write_long=4_000),
        ),
        Turn(
            say="I have it looked at.",
            use=(
                ToolUse(
                    tool="Agent",
                    input={
                        "description": "Look closer",
                        "prompt": "Look closer [[plan:cached-child]]",
                        "subagent_type": "general-purpose",
                        "run_in_background": False,
                    },
                ),
            ),
            usage=Tokens(input=20, output=200, cache_read=25_000, cache_write=1_000),
        ),
        Turn(
            say="I note it.",
            use=(writes("claude-code", "note.txt", "noted"),),
            usage=Tokens(input=60, output=340, cache_read=26_000, cache_write_long=2_000),
        ),
        Turn(say="That was it.", usage=Tokens(input=20, output=20, cache_read=28_000)),
    ),
    "cached-child": (
        Turn(
            say="I look closer.",
            use=(runs("claude-code", "cat src/app.py"),),
            usage=Tokens(input=80, output=60, cache_write=9_000),
        ),
        Turn(say="Nothing there.", usage=Tokens(input=20, output=40, cache_read=9_000)),
    ),
    "unfinished": (Turn(say="Let me see.", usage=USAGE, fault=Fault(kind="unfinished")),),
}
"""What only one agent is asked to play."""
