"""Claude Code's own tools in swarm's words: what kind they are, a title for a person, the files they name."""

from collections.abc import Mapping
from typing import Any, Final

from harnesses.events import PlanEntry, ToolKind
from harnesses.text import one_line, relative

_KINDS: Final[Mapping[str, ToolKind]] = {
    "Read": "read",
    "NotebookRead": "read",
    "Edit": "edit",
    "MultiEdit": "edit",
    "Write": "edit",
    "NotebookEdit": "edit",
    "Bash": "execute",
    "BashOutput": "execute",
    "Monitor": "execute",
    "Glob": "search",
    "Grep": "search",
    "LS": "search",
    "ToolSearch": "search",
    "WebFetch": "fetch",
    "WebSearch": "fetch",
    "Agent": "think",
    "Task": "think",
    "ExitPlanMode": "think",
    "EnterPlanMode": "think",
}
_PATH_KEYS: Final = ("file_path", "notebook_path", "path")
_TITLE_KEYS: Final = ("command", "pattern", "url", "query", "description", "subject", "skill")
PLAN_TOOLS: Final = frozenset({"TodoWrite", "TaskCreate", "TaskUpdate", "TaskList"})
"""Tools that keep the agent's list of what it means to do."""
QUESTION: Final = "AskUserQuestion"


def kind(tool: str) -> ToolKind:
    return _KINDS.get(tool, "other")


def paths(given: Mapping[str, Any], workspace: str) -> tuple[str, ...]:
    """Files named by a tool's input, as seen from the tree."""
    named = (given.get(key) for key in _PATH_KEYS)
    return tuple(relative(path, workspace) for path in named if isinstance(path, str) and path)


def command(tool: str, given: Mapping[str, Any]) -> str:
    """The command line a tool would run; empty for tools that run none."""
    line = given.get("command")
    return line if kind(tool) == "execute" and isinstance(line, str) else ""


def title(tool: str, given: Mapping[str, Any], workspace: str) -> str:
    """One line that says what the call does: `Bash: pytest -q`."""
    if tool == QUESTION:
        return one_line("Question: " + "; ".join(_asked(given)))
    named = [given[key] for key in _TITLE_KEYS if isinstance(given.get(key), str)]
    what = named[0] if named else ", ".join(paths(given, workspace))
    return one_line(f"{tool}: {what}") if what else one_line(tool)


def answers(given: Mapping[str, Any], note: str) -> dict[str, str]:
    """Answers to the agent's questions: the note to each of them, else the option it names first."""
    found = {}
    for question in _questions(given):
        labels = _labels(question)
        found[str(question.get("question", ""))] = note or (labels[0] if labels else "yes")
    return found


def _asked(given: Mapping[str, Any]) -> list[str]:
    return [
        f"{question.get('question', '')} ({' | '.join(_labels(question))})"
        for question in _questions(given)
    ]


def _questions(given: Mapping[str, Any]) -> list[dict[str, Any]]:
    listed = given.get("questions")
    return [item for item in listed if isinstance(item, dict)] if isinstance(listed, list) else []


def _labels(question: Mapping[str, Any]) -> list[str]:
    listed = question.get("options")
    options = listed if isinstance(listed, list) else []
    return [str(item.get("label", "")) for item in options if isinstance(item, dict)]


class Plan:
    """The agent's list, kept from the calls and results of its plan tools, which differ by version."""

    def __init__(self) -> None:
        self._tasks: dict[str, PlanEntry] = {}

    @property
    def entries(self) -> tuple[PlanEntry, ...]:
        return tuple(self._tasks.values())

    def apply(self, tool: str, given: Mapping[str, Any], result: Any) -> bool:
        """Take a finished call of a plan tool; whether the list is another one now."""
        before = dict(self._tasks)
        found = result if isinstance(result, dict) else {}
        match tool:
            case "TodoWrite":
                self._replace(given.get("todos"))
            case "TaskList":
                self._replace(found.get("tasks"))
            case "TaskCreate":
                self._add(found.get("task"))
            case "TaskUpdate":
                self._update(given)
            case _:
                pass
        return self._tasks != before

    def _replace(self, listed: Any) -> None:
        if isinstance(listed, list):
            self._tasks = {}
            for number, item in enumerate(listed):
                self._add(item, str(number))

    def _add(self, task: Any, key: str = "") -> None:
        if isinstance(task, dict):
            text = task.get("subject") or task.get("content")
            if isinstance(text, str):
                key = str(task.get("id", key))
                self._tasks[key] = _entry(text, task.get("status"))

    def _update(self, given: Mapping[str, Any]) -> None:
        key = str(given.get("taskId", ""))
        old = self._tasks.get(key)
        if old is None:
            return
        if given.get("status") == "deleted":
            del self._tasks[key]
            return
        text = given.get("subject")
        status = given.get("status", old.status)
        self._tasks[key] = _entry(text if isinstance(text, str) else old.text, status)


def _entry(text: str, status: Any) -> PlanEntry:
    match status:
        case "in_progress" | "completed":
            return PlanEntry(one_line(text), status)
        case _:
            return PlanEntry(one_line(text))
