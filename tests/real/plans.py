"""What the scripted model has Claude Code do, with Claude Code's own tools."""

from app.gateway.rehearsal_script import Tokens, ToolUse, Turn

USAGE = Tokens(input=9_000, output=250)

PLANS: dict[str, tuple[Turn, ...]] = {
    "edit": (
        Turn(
            say="I mend the function.",
            use=(ToolUse(tool="Read", input={"file_path": "/workspace/src/app.py"}),),
            usage=USAGE,
        ),
        Turn(
            use=(
                ToolUse(
                    tool="Edit",
                    input={
                        "file_path": "/workspace/src/app.py",
                        "old_string": "return a - b",
                        "new_string": "return a + b",
                    },
                ),
            ),
            usage=USAGE,
        ),
        Turn(say="add() adds now.", usage=USAGE),
    ),
    "shell": (
        Turn(
            say="I look around first.",
            use=(
                ToolUse(
                    tool="Bash",
                    input={
                        "command": "env | sort > seen-env.txt; echo looked > looked.txt",
                        "description": "Write down the environment",
                    },
                ),
            ),
            usage=USAGE,
        ),
        Turn(say="I looked.", usage=USAGE),
    ),
    "endless": tuple(
        Turn(
            use=(
                ToolUse(
                    tool="Write",
                    input={"file_path": f"/workspace/page-{n}.md", "content": f"page {n}\n"},
                ),
            ),
            usage=Tokens(input=20_000, output=2_000),
        )
        for n in range(40)
    ),
}
