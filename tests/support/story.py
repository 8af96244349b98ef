"""The recording behind tests and pictures: one repository, nine tasks, every state a person meets."""

from pathlib import Path

from msgspec.structs import replace

from app import wire
from app.domain import events as own
from app.domain.ids import ReviewId, RunId
from app.domain.money import Micros
from app.domain.review import CheckResult, Comment, FileChange, Finding
from app.domain.run import RunState
from harnesses import events as agent
from tests.support.fleet import NOW, Recording, question, review, row

_S = RunState
DATA = Path(__file__).parents[1] / "tui" / "data"


def story() -> Recording:
    """The whole of it; every call makes a new one."""
    budget, merge = (DATA / "budget.diff").read_bytes(), (DATA / "merge.diff").read_bytes()
    recording = Recording(
        rows=_rows(),
        diffs={
            RunId("h7fz4.1"): budget,
            RunId("k3f9m.1"): merge,
            RunId("p6tw8.1"): budget,
        },
        agents=_agents(),
        trash=_trash(),
        health=_health(),
        settings=_settings(),
    )
    _review(recording)
    _budget_log(recording, RunId("h7fz4.1"))
    _retries_log(recording, RunId("p6tw8.1"))
    _merge_log(recording, RunId("k3f9m.1"))
    in_order = sorted(recording.events, key=lambda event: event.at)
    recording.events = [replace(event, seq=seq) for seq, event in enumerate(in_order, 1)]
    for run in ("h7fz4.1", "p6tw8.1"):
        recording.spend[RunId(run)] = wire.Spend(
            micros=Micros(312_400),
            held=Micros(41_000),
            calls=9,
            refused=0,
            input=61_200,
            output=4_830,
            cache_read=402_000,
            cache_write=18_400,
        )
    return recording


def _rows() -> list[wire.RunRow]:
    asks = question(
        RunId("h7fz4.1"),
        "Bash: git grep -l 'Budget(total' | xargs sed -i s/total/limit/",
        detail="git grep -l 'Budget(total' | xargs sed -i 's/total/limit/'",
        reason="the command changes files outside src/api",
    )
    passed = CheckResult(
        command="make test", passed=True, code=0, seconds=41.3, tail="214 passed in 38.9s"
    )
    clean = CheckResult(command="make check", passed=True, code=0, seconds=9.8, tail="ok")
    return [
        row(
            "h7fz4",
            "rename Budget.total to Budget.limit",
            _S.WAITING,
            minutes=9,
            spent=0.3124,
            lines=(18, 4, 3),
            question=asks,
        ),
        row(
            "k3f9m",
            "fix the flaky test of two merges at once",
            _S.IN_REVIEW,
            agent="codex",
            model="gpt-5-codex",
            minutes=31,
            spent=0.88,
            lines=(34, 6, 4),
            review=ReviewId("k3f9m.1-r1"),
            checks=(passed, clean),
            task_checks=("make test", "make check"),
        ),
        row(
            "t2xq7",
            "port the command line to typer",
            _S.PARKED,
            minutes=44,
            spent=2.0,
            lines=(112, 48, 6),
            reason="the budget of $2.00 is spent",
        ),
        row(
            "p6tw8",
            "retry model calls that were rate limited",
            _S.WORKING,
            minutes=8,
            spent=0.3124,
            budget=3.0,
            lines=(74, 9, 5),
            activity="Bash: pytest -q tests/test_gateway.py",
        ),
        row(
            "m4rc2",
            "write documentation for the router",
            _S.WORKING,
            agent="opencode",
            model="qwen3-coder",
            minutes=4,
            spent=0.0021,
            lines=(31, 0, 1),
            activity="thinks",
        ),
        row(
            "b8vn5",
            "journal runs in SQLite instead of JSON",
            _S.CHECKING,
            minutes=17,
            spent=1.12,
            lines=(140, 61, 8),
        ),
        row(
            "w9ka3",
            "typed events for the stream",
            _S.MERGED,
            minutes=82,
            spent=1.10,
            lines=(140, 61, 7),
        ),
        row(
            "c5hj6",
            "close file handles of finished runs",
            _S.MERGED,
            agent="codex",
            model="gpt-5-codex",
            minutes=140,
            spent=0.46,
            lines=(22, 13, 2),
        ),
        row(
            "d3sg9",
            "speed up the import of the catalogue",
            _S.CANCELLED,
            number=2,
            minutes=200,
            spent=0.07,
            reason="stopped by ada",
        ),
    ]


def _agents() -> tuple[wire.AgentLine, ...]:
    return (
        wire.AgentLine(
            name="claude-code",
            harness="claude-code",
            model="claude-sonnet-4-5",
            title="Claude Code",
            usable=True,
        ),
        wire.AgentLine(
            name="scripted", harness="scripted", model="none", title="Scripted", usable=True
        ),
        wire.AgentLine(
            name="codex",
            harness="codex",
            model="gpt-5-codex",
            title="Codex",
            usable=False,
            why="OPENAI_API_KEY is not set",
        ),
    )


def _review(recording: Recording) -> None:
    run = RunId("k3f9m.1")
    files = (
        FileChange(path=".github/workflows/ci.yml", status="modified", insertions=1, deletions=1),
        FileChange(path="docs/merge.md", status="added", insertions=6, deletions=0),
        FileChange(path="src/api/merge.py", status="modified", insertions=9, deletions=1),
        FileChange(path="tests/test_merge.py", status="modified", insertions=11, deletions=3),
    )
    finding = Finding(
        severity="confirm",
        path=".github/workflows/ci.yml",
        rule="ci-config",
        why="changes what runs in CI",
    )
    checks = next(row for row in recording.rows if row.run.id == run).checks
    recording.reviews.append(review(run, files, findings=(finding,), checks=checks))
    recording.comments.append(
        Comment(
            run=run,
            number=1,
            path="src/api/merge.py",
            line=123,
            text="Name the holder of the lock in the error.",
            by="ada",
            at=NOW - 200,
        )
    )


def _budget_log(recording: Recording, run: RunId) -> None:
    say, at = recording.say, NOW - 540
    say(run, at, own.StateChanged(_S.PREPARING))
    say(
        run,
        at + 1,
        own.StateChanged(_S.WORKING),
        own.TurnStarted(1, "rename Budget.total to Budget.limit"),
    )
    say(run, at + 2, agent.SessionStarted("c-1", "claude-sonnet-4-5", "2.1.0"))
    say(
        run,
        at + 5,
        agent.ThoughtChunk(
            "The field is public, so callers in the CLI and in the loader have to change with it.",
            "m1",
        ),
    )
    say(run, at + 7, agent.MessageChunk("I'll look at every use of the field first.", "m2"))
    say(
        run, at + 8, agent.ToolCall("t1", "Bash: rg -n 'class Budget|\\.total' src tests", "search")
    )
    say(
        run,
        at + 9,
        agent.ToolCallUpdate(
            "t1", "completed", "src/api/budget.py:38\nsrc/api/budget.py:41\n7 hits"
        ),
    )
    say(run, at + 12, own.Spent(41_200, 41_200, "claude-sonnet-4-5", 1_240, 830, 11_200, 400))
    say(
        run,
        at + 15,
        agent.ToolCall("t2", "Read: src/api/budget.py", "read"),
        agent.ToolCallUpdate("t2", "completed", "118 lines"),
    )
    say(
        run,
        at + 24,
        agent.ToolCall("t3", "Edit: src/api/budget.py", "edit"),
        agent.ToolCallUpdate("t3", "completed", "+15 -4"),
    )
    say(run, at + 25, own.Snapshotted("4" * 40, 1, 15, 4))
    say(run, at + 29, own.Spent(57_900, 99_100, "claude-sonnet-4-5", 2_100, 1_310, 41_000, 900))
    say(run, at + 32, agent.ToolCall("t4", "Bash: pytest -q tests/test_budget.py", "execute"))
    say(
        run,
        at + 36,
        agent.ToolCallUpdate(
            "t4",
            "failed",
            "tests/test_budget.py:31: AssertionError\n"
            "E   assert Decimal('1.50') == Decimal('1.5001')\n1 failed, 13 passed in 2.07s",
        ),
    )
    say(
        run,
        at + 41,
        agent.ToolCall("t5", "Edit: src/api/cli.py", "edit"),
        agent.ToolCallUpdate("t5", "completed", "+3 -0"),
    )
    say(run, at + 44, agent.ToolCall("t6", "Bash: pytest -q tests/test_budget.py", "execute"))
    say(run, at + 48, agent.ToolCallUpdate("t6", "completed", "14 passed in 2.01s"))
    say(run, at + 50, own.Snapshotted("5" * 40, 3, 18, 4))
    say(
        run,
        at + 58,
        own.Spent(213_300, 312_400, "claude-sonnet-4-5", 3_800, 2_690, 349_800, 17_100),
    )
    say(
        run,
        at + 60,
        agent.MessageChunk("Three callers outside the package still build Budget(total=…). ", "m3"),
    )
    say(run, at + 61, agent.MessageChunk("I would change them in one go.", "m3"))
    say(
        run,
        NOW - 130,
        agent.PermissionAsked(
            "q1",
            "Bash: git grep -l 'Budget(total' | xargs sed -i s/total/limit/",
            "execute",
            "Bash",
        ),
    )
    say(run, NOW - 130, own.StateChanged(_S.WAITING))


def _retries_log(recording: Recording, run: RunId) -> None:
    say, at = recording.say, NOW - 480
    say(
        run,
        at,
        own.StateChanged(_S.WORKING),
        own.TurnStarted(1, "retry model calls that were rate limited"),
    )
    say(
        run,
        at + 3,
        agent.ToolCall("t1", "Read: src/api/gateway.py", "read"),
        agent.ToolCallUpdate("t1", "completed", "302 lines"),
    )
    say(
        run,
        at + 9,
        agent.MessageChunk("429 and 529 come back at once today. I'll add a bounded retry.", "m1"),
    )
    say(run, at + 20, agent.ToolCall("t2", "Bash: pytest -q tests/test_gateway.py", "execute"))


def _merge_log(recording: Recording, run: RunId) -> None:
    say, at = recording.say, NOW - 1860
    say(run, at, own.TurnStarted(1, "fix the flaky test of two merges at once"))
    say(
        run,
        at + 700,
        agent.MessageChunk(
            "Both merges fought over index.lock. They wait for each other now.", "m1"
        ),
    )
    say(run, at + 701, agent.TurnEnded("end_turn"), own.StateChanged(_S.CHECKING))
    say(
        run,
        at + 745,
        own.Checked(
            1,
            CheckResult(command="make test", passed=True, code=0, seconds=41.3, tail="214 passed"),
        ),
    )
    say(
        run,
        at + 760,
        own.ReviewOpened(ReviewId(f"{run}-r1"), "7be21a4"),
        own.StateChanged(_S.IN_REVIEW),
    )


def _trash() -> list[wire.RunRow]:
    return [
        row("c2vbn", "try a ring buffer for the log", RunState.DISCARDED, lines=(212, 40, 6)),
        row("d9mqa", "port the docs to another theme", RunState.DISCARDED, agent="codex"),
    ]


def _health() -> tuple[wire.DoctorLine, ...]:
    fix = "Set it for the supervisor, or correct gateway.upstreams.openai.key."
    return (
        wire.DoctorLine(name="git", ok=True, found="git 2.39.5"),
        wire.DoctorLine(name="disk", ok=True, found="48.1 GiB free for /home/ada/.local/state"),
        wire.DoctorLine(
            name="key for gpt-6.1-sol", ok=False, found="there is no API key for openai", fix=fix
        ),
        wire.DoctorLine(
            name="seccomp", ok=False, found="runs without a filter", fix="Update.", needed=False
        ),
    )


def _settings() -> tuple[wire.SettingLine, ...]:
    own, theirs = "/home/ada/.config/swarm/config.yaml:3", "/home/ada/acme-api/.swarm/config.yaml:1"
    return (
        wire.SettingLine(key="agent", value="claude-code", origin="defaults.yaml:3"),
        wire.SettingLine(key="budget.run", value="2.00", origin=own),
        wire.SettingLine(key="checks", value='["make test"]', origin=theirs),
        wire.SettingLine(key="notify.quiet", value='""', origin="defaults.yaml:112"),
    )
