"""Everything a key can do, once: dispatch, footer, help, palette and the manual are made from this table."""

from dataclasses import dataclass
from typing import Final, Literal, TypeAlias

from app.domain.run import ACTIVE, SETTLED, RunState

Place: TypeAlias = Literal[
    "list",
    "files",
    "board",
    "run",
    "review",
    "inbox",
    "cost",
    "trash",
    "race",
    "doctor",
    "settings",
    "question",
    "form",
    "approval",
    "commits",
    "dialog",
]
"""Where a key works: on a screen, or while a part of one has the focus."""

PLACES: Final[dict[Place, str]] = {
    "board": "On the board",
    "run": "In a run",
    "review": "In a review",
    "inbox": "In the inbox",
    "cost": "On the screen of costs",
    "trash": "In the trash",
    "race": "Among the runs of a task",
    "doctor": "On the screen of health",
    "settings": "On the screen of settings",
    "list": "In every list, log and diff",
    "files": "In a list of files",
    "question": "While a question has the focus",
    "approval": "While an approval asks for confirmation",
    "commits": "Among the commits of a rebase",
    "form": "In the form of a new task",
    "dialog": "In a dialog",
}

_S = RunState
_STOPPED: Final = frozenset({_S.PARKED, _S.FAILED, _S.CANCELLED})
_ATTACHABLE: Final = (ACTIVE - {_S.MERGING}) | _STOPPED | {_S.IN_REVIEW}
_TELLABLE: Final = (ACTIVE - {_S.MERGING}) | _STOPPED
_LOSABLE: Final = _STOPPED | {_S.IN_REVIEW}


@dataclass(frozen=True, slots=True)
class Action:
    """One thing a person can do here."""

    id: str
    keys: tuple[str, ...]
    """As Textual names them; the first is the one that is shown."""
    label: str
    """One or two words, for the footer."""
    places: tuple[Place, ...]
    help: str
    """A sentence, for help, palette and manual."""
    states: frozenset[RunState] | None = None
    """States of the run it is possible in; None: it is not about a run, or always possible."""
    weight: int = 0
    """How much the footer wants to show it; 0 never."""
    of_one: bool = False
    """Whether it needs a run, or a question, to be there: without one it is not possible."""


_OF_RUNS: Final[tuple[Place, ...]] = ("board", "run", "review")
_SHEETS: Final[tuple[Place, ...]] = ("cost", "doctor", "settings")
_ALL: Final[tuple[Place, ...]] = (*_OF_RUNS, "race", "inbox", "trash", "commits", *_SHEETS)
_READ: Final[tuple[Place, ...]] = ("review", "commits")

ACTIONS: Final[tuple[Action, ...]] = (
    Action("open", ("enter",), "open", ("board",),
           "Open the run; one that is ready for review opens as a review.", weight=90,
           of_one=True),
    Action("open", ("enter",), "open", ("inbox",), "Open the run that asks.", weight=60, of_one=True),
    Action("open", ("enter",), "open", ("race",),
           "Open the run, or its review. When one is approved, the others go into the trash.", weight=90,
           of_one=True),
    Action("race", ("=",), "compare", _OF_RUNS,
           "Put all runs of the task beside each other: cost, time, checks, change and files.", weight=8,
           of_one=True),
    Action("inbox", ("I",), "inbox", _OF_RUNS, "Show every question of every agent.", weight=45),
    Action("costs", ("$",), "costs", _OF_RUNS,
           "Show what was spent, in all repositories, by anything it is filed under.", weight=7),
    Action("trash", ("T",), "trash", _OF_RUNS, "Show what was discarded, and bring it back.", weight=4),
    Action("doctor", ("H",), "health", _OF_RUNS,
           "Show whether all that swarm relies on is there, and what to do where it is not.", weight=3),
    Action("settings", (",",), "settings", _OF_RUNS,
           "Show every setting in force here, and the file and line it is from.", weight=3),
    Action("bring_back", ("U",), "bring back", ("trash",),
           "Bring back the run, or all that are marked, as they were.", weight=95),
    Action("mark", ("space",), "mark", ("trash",), "Mark this run, or not, and go to the next.", weight=60),
    Action("edit", ("e",), "edit yours", ("settings",),
           "Open your own configuration file in `$VISUAL` or `$EDITOR`.", weight=80),
    Action("by", ("s",), "add up by", ("cost",),
           "Add up by the next of task, run, agent, model, sub-agent, repository, day and more.", weight=90),
    Action("period", ("P",), "period", ("cost",), "Count everything, this month, or today.", weight=85),
    Action("mark", ("space",), "mark", ("board",),
           "Mark this run, or not, and go to the next; `x`, `r` and `ctrl+d` are for all that are marked.",
           weight=27, of_one=True),
    Action("mark", ("space",), "mark", ("inbox",),
           "Mark this question, or not, and go to the next; an answer is for all that are marked.", weight=70,
           of_one=True),
    Action("mark_all", ("*",), "mark all", ("board", "inbox", "trash"), "Mark all that are listed, or none."),
    Action("group", ("s",), "group", ("board",),
           "Group the runs by state, by agent, by repository, or not.", weight=13),
    Action("everywhere", ("0",), "all repositories", ("board",),
           "List the tasks of all repositories, or of this one only.", weight=6),
    Action("next", ("!",), "next for you", ("board", "run", "review"),
           "Go to the next run that needs you.", weight=50),
    Action("question", ("a",), "answer", ("board", "run"),
           "Go to the question; there `a` says yes and `d` says no.", frozenset({_S.WAITING}), 95),
    Action("question", ("a",), "answer", ("inbox",),
           "Go to the question; there `a` says yes and `d` says no.", weight=95, of_one=True),
    Action("approve", ("M",), "approve + merge", ("review",),
           "Approve exactly what is on the screen and merge it, after one more look.",
           frozenset({_S.IN_REVIEW}), 95),
    Action("changes", ("S",), "send changes", ("review",),
           "Send your comments and a note back to the agent and let it work on.",
           frozenset({_S.IN_REVIEW}), 85),
    Action("comment", ("c",), "comment", ("review",),
           "Write a comment on this line, or on all from where `V` was pressed.",
           frozenset({_S.IN_REVIEW}), 80),
    Action("range", ("V",), "range", ("review",),
           "Begin a comment on several lines here; `c` ends and writes it.", frozenset({_S.IN_REVIEW}), 14),
    Action("reject_hunk", ("-",), "reject hunk", ("review",),
           "Comment on this hunk that the agent shall take it back; `S` sends it.",
           frozenset({_S.IN_REVIEW}), 30),
    Action("reject_file", ("_",), "reject file", ("review",),
           "Comment on this file that the agent shall take its changes back; `S` sends it.",
           frozenset({_S.IN_REVIEW})),
    Action("leave_out", ("o",), "leave out", ("review",),
           "Leave this hunk out of what would land; no check has seen the rest alone.",
           frozenset({_S.IN_REVIEW}), 29),
    Action("leave_out_file", ("O",), "leave out file", ("review",),
           "Leave this file out of what would land.", frozenset({_S.IN_REVIEW})),
    Action("take_in", ("ctrl+a",), "take in", ("review",),
           "Take everything back in that was left out.", frozenset({_S.IN_REVIEW})),
    Action("viewed", ("space",), "viewed", ("review",),
           "Mark this file as viewed, or not, and go to the next one that is not.", weight=60),
    Action("next_unviewed", ("v", ")"), "not viewed", ("review",),
           "Go to the next file that is not marked as viewed.", weight=32),
    Action("previous_unviewed", ("(",), "not viewed, back", ("review",),
           "Go to the file before that is not marked as viewed."),
    Action("next_comment", (">",), "comment", ("review",), "Go to the next comment.", weight=16),
    Action("previous_comment", ("<",), "comment back", ("review",), "Go to the comment before."),
    Action("since", ("L",), "since last look", ("review",),
           "Show only what changed since you looked last, or everything again.", weight=58),
    Action("next_hunk", ("]",), "hunk", _READ, "Go to the next hunk.", weight=40),
    Action("previous_hunk", ("[",), "hunk back", _READ, "Go to the hunk before."),
    Action("next_file", ("}",), "file", _READ, "Go to the next file.", weight=35),
    Action("previous_file", ("{",), "file back", _READ, "Go to the file before."),
    Action("side_by_side", ("u",), "side by side", _READ,
           "Show the old text at the left of the new, or both in one column.", weight=33),
    Action("side_by_side", ("u",), "side by side", ("board", "run"),
           "Show diffs with the old text at the left of the new, or in one column."),
    Action("facts", ("i",), "checks", ("review",),
           "Show checks with their output, findings, comments and the goal.", weight=55),
    Action("diff", ("d",), "diff", ("board", "run"), "Show what the run changed.", weight=70, of_one=True),
    Action("stop", ("x",), "stop", ("board", "run", "race"),
           "Stop the run; nothing is lost, `r` takes it up again.", frozenset(ACTIVE - {_S.MERGING}), 75),
    Action("stop_all", ("X",), "stop all", ("board",),
           "Stop every run that works, after asking."),
    Action("again", ("r",), "go on", ("board", "run"),
           "Take a stopped or parked run up again; a failed one starts afresh.", _STOPPED, 85),
    Action("tell", ("m",), "message", ("board", "run"),
           "Say something to the agent: into its turn, or before its next one.", _TELLABLE, 26),
    Action("new", ("n",), "new task", ("board",), "Give a new task.", weight=65),
    Action("peek", ("p",), "peek", ("board",),
           "Give the detail all the room, or the list its room back.", weight=20),
    Action("tab_log", ("1",), "log", ("board", "run"), "Show the log."),
    Action("tab_diff", ("2",), "diff", ("board", "run"), "Show the diff."),
    Action("tab_files", ("3",), "files", ("board", "run"), "Show the changed files."),
    Action("tab_cost", ("4",), "cost", ("board", "run"), "Show what the run has cost."),
    Action("tab_network", ("5",), "network", ("board", "run"),
           "Show which hosts the run may reach, and which it asked for."),
    Action("tab_checks", ("6",), "checks", ("board", "run"), "Show how the checks ended, with their output."),
    Action("tab_why", ("7",), "why", ("board", "run"),
           "Show why the run is in its state, with the evidence and what can be done."),
    Action("allow_host", ("w",), "allow host", ("board", "run"),
           "Let this run reach the host that it was refused, at once, after asking.",
           frozenset(RunState) - SETTLED),
    Action("unfold", ("z",), "unfold", ("board", "run"),
           "Unfold what tools gave back and the agent's thoughts, or fold them.", weight=30, of_one=True),
    Action("page", ("J",), "page", ("board",), "Next page of the detail."),
    Action("page", ("space", "J"), "page", ("run",), "Next page of the log."),
    Action("page_back", ("b", "K"), "page back", ("board", "run"), "Page of the detail before."),
    Action("page", ("space", "J"), "next commit", ("commits",), "Show the next commit.", weight=90),
    Action("page_back", ("b", "K"), "commit before", ("commits",), "Show the commit before.", weight=80),
    Action("pane", ("tab",), "pane", _ALL, "Go to the next part of the screen.", weight=15),
    Action("pane_back", ("shift+tab",), "pane back", _ALL, "Go to the part of the screen before."),
    Action("search", ("/",), "search", ("run", *_READ, *_SHEETS), "Find words in what is shown.", weight=28),
    Action("match", ("n",), "match", ("run", *_READ, *_SHEETS), "Go to the next line in which they stand."),
    Action("match_back", ("N",), "match back", ("run", *_READ, *_SHEETS), "Go to the one before."),
    Action("edit", ("e",), "editor", (*_OF_RUNS, "inbox"),
           "Open the run's worktree, in a review the file, in `$VISUAL` or `$EDITOR`.", weight=25, of_one=True),
    Action("shell", ("E",), "shell", _OF_RUNS,
           "Open your own shell in the run's worktree, on this machine.", of_one=True),
    Action("attach", ("t",), "take over", _OF_RUNS,
           "Take the run over on the agent's own screen, in the same conversation; `ctrl+]` hands it back.",
           _ATTACHABLE, 24),
    Action("attach_shell", ("ctrl+t",), "sandbox shell", _OF_RUNS,
           "Take the run over by a shell in its sandbox; `ctrl+]` hands it back.", _ATTACHABLE),
    Action("give_on", ("B",), "other agent", ("run", "review"),
           "Give the task to another agent, with this change, what failed and your comments.", _LOSABLE, 12),
    Action("copy", ("y",), "copy", (*_OF_RUNS, "inbox", "trash"),
           "Copy the run's branch, in a review the place of the line.", weight=10, of_one=True),
    Action("discard", ("ctrl+d",), "discard", _OF_RUNS,
           "Put the run into the trash, after asking; `U` brings it back.", _LOSABLE, 18),
    Action("bring_back", ("U",), "bring back", _OF_RUNS,
           "Bring back what you discarded last; what is older lies in the trash (`T`)."),
    Action("undo", ("Z",), "undo merge", ("board", "run"),
           "Take the merged change off its branch again, after asking.", frozenset({_S.MERGED}), 80),
    Action("theme", ("C",), "colours", _ALL,
           "Go through the themes: dark, light, high contrast, green and red, no colours."),
    Action("refresh", ("R",), "refresh", _ALL, "Ask the supervisor again.", weight=5),
    Action("filter", ("/",), "filter", ("board",), "Keep the runs that contain these words.", weight=22),
    Action("command", (":",), "command", _ALL,
           "Type any verb of the command line; `%` in it is the selected run.", weight=9),
    Action("palette", ("ctrl+p",), "palette", _ALL, "Find any of these keys by its name."),
    Action("help", ("?",), "help", _ALL, "Show the keys of this screen.", weight=100),
    Action("back", ("escape",), "back", _ALL, "Back to where you came from; never quits.", weight=12),
    Action("quit", ("q",), "quit", _ALL,
           "Leave; from the board, the screen. Agents go on working.", weight=8),
    Action("down", ("j", "down"), "down", ("list",), "One line down."),
    Action("up", ("k", "up"), "up", ("list",), "One line up."),
    Action("page_down", ("pagedown", "ctrl+f"), "page", ("list",), "One page down."),
    Action("page_up", ("pageup",), "page back", ("list",), "One page up."),
    Action("top", ("g", "home"), "top", ("list",), "To the first line."),
    Action("bottom", ("G", "end"), "end", ("list",), "To the last line; a log follows again."),
    Action("left", ("h", "left"), "left", ("list",), "To the beginning of long lines."),
    Action("right", ("l", "right"), "right", ("list",), "Further along long lines."),
    Action("pick", ("enter",), "show", ("files",), "Show this file in the diff.", weight=90),
    Action("yes", ("a", "1"), "yes", ("question",), "Yes, this once.", weight=90),
    Action("always", ("A",), "always", ("question",),
           "Yes, and for good: shows the rule this would write into your policy file, and asks.", weight=65),
    Action("for_run", ("r",), "for this run", ("question",), "Yes, and to the same for as long as the run lasts.",
           weight=66),
    Action("no", ("d", "2"), "no", ("question",), "No.", weight=80),
    Action("no_because", ("D",), "no, and why", ("question",),
           "No, with a word to the agent about what to do instead.", weight=70),
    Action("leave", ("escape",), "later", ("question",), "Leave the question open.", weight=60),
    Action("acknowledge", ("space",), "seen", ("approval",),
           "I have seen this finding; the next one, please.", weight=90),
    Action("message", ("e",), "message", ("approval",),
           "Change what the commit says; keys and passwords are refused.", weight=75),
    Action("style", ("s",), "land as", ("approval",),
           "Land as one commit on top, as a merge commit over the change, or as a commit a turn.", weight=40),
    Action("commits", ("d",), "commits", ("approval",),
           "Where it lands as a commit a turn: show what each of them changes.", weight=60),
    Action("land", ("M", "enter"), "approve", ("approval",),
           "Approve this tree; possible once every finding is acknowledged.", weight=80),
    Action("not_yet", ("escape", "q"), "back", ("approval",), "Back to the review; nothing happens.", weight=70),
    Action("submit", ("ctrl+s",), "start", ("form",), "Start the task.", weight=90),
    Action("lines", ("ctrl+l",), "one a line", ("form",),
           "Take every line of the goal for a task of its own, or all of it for one.", weight=60),
    Action("race", ("ctrl+r",), "race", ("form",),
           "Give it to several agents at once; when one has landed, the others stop.", weight=45),
    Action("editor", ("ctrl+g",), "editor", ("form",), "Write the goal in `$VISUAL` or `$EDITOR`.", weight=50),
    Action("file", ("ctrl+o",), "file", ("form",),
           "Take the goal from a file: an issue's text, or a list of tasks.", weight=40),
    Action("cancel", ("escape",), "cancel", ("form",), "Leave the form; nothing happens.", weight=80),
    Action("confirm", ("y", "enter"), "yes", ("dialog",), "Yes, do it.", weight=90),
    Action("dismiss", ("escape", "n", "q"), "no", ("dialog",), "No, leave everything as it is.", weight=80),
)  # fmt: skip


SHIPPED_KEYS: Final = {
    (place, action.id): action.keys for action in ACTIONS for place in action.places
}
"""What each action is bound to by itself, place by place."""

_table: tuple[Action, ...] = ACTIONS


def use(table: tuple[Action, ...]) -> None:
    """Take that table from now on: a process has one screen, and one table all of it is made from."""
    global _table  # noqa: PLW0603 - bindings belong to classes, so does what they are made from
    _table = table


def at(place: Place) -> list[Action]:
    """What can be done there, in the table's order."""
    return [action for action in _table if place in action.places]


def find(place: Place, id_: str) -> Action:
    return next(action for action in at(place) if action.id == id_)
