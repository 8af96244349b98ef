"""The way to an agent's standard input: what is known before it starts comes from files, the rest once each.

A supervisor that was killed reads the agent's output from the beginning and says its own lines again, which
would open a second conversation, begin a second turn, or tell the agent twice. So a few lines of shell in the
sandbox pass every line on once only.
"""

from typing import Final

from harnesses.base import Brief

CONVERSATION: Final = "@conversation@"
"""Stands in the prompt's file for the id of the conversation, which only the agent can give."""

START: Final = """\
mkdir -p -- "$HOME" || exit
. "$0/prepare.sh" || exit
exec 3<&0
exec 0< <(exec bash "$0/relay.sh" "$0" <&3)
exec 3<&-
export BASH_ENV="$0/shell.sh" SWARM_STARTED=$$
exec "$@"
"""
"""`$0` is the directory of the launch files, the arguments are the agent's command line."""

OPEN: Final = """\
mkdir -p -- "$HOME" || exit
. "$0/prepare.sh" || exit
export BASH_ENV="$0/shell.sh" SWARM_STARTED=$$
exec "$@"
"""
"""As `START`, for a program that a person types to."""

_RELAY: Final = b"""\
cat -- "$1/opening.jsonl"
declare -A said
while IFS= read -r line; do
  [ -n "$line" ] && [ -z "${said["$line"]-}" ] || continue
  said["$line"]=1
  case $line in
    "prompt "*)
      text=$(<"$1/prompt.json")
      printf '%s\\n' "${text/@conversation@/"${line#prompt }"}" ;;
    *) printf '%s\\n' "$line" ;;
  esac
done
"""


def argv(brief: Brief, command: tuple[str, ...]) -> tuple[str, ...]:
    """The command line that starts the agent behind the relay."""
    return ("bash", "-c", START, brief.launch, *command)


def on_terminal(brief: Brief, command: tuple[str, ...]) -> tuple[str, ...]:
    """The command line that starts the agent on a terminal."""
    return ("bash", "-c", OPEN, brief.launch, *command)


def files(
    opening: tuple[str, ...], *, prompt: str = "", prepare: str = "", hide: str = "SWARM_TOKEN"
) -> dict[str, bytes]:
    """The launch files: lines said at once, and the line with the prompt, said when `go` asks for it.

    `prepare` is a shell script to run first. `hide` is the variable with the run's key: every shell the agent
    starts forgets it, so that `env` in a transcript does not show it.
    """
    return {
        "relay.sh": _RELAY,
        "prepare.sh": prepare.encode(),
        # The program may be a shell script itself, which needs what its shells must forget.
        "shell.sh": f'[ "$$" = "${{SWARM_STARTED-}}" ] || unset {hide}\n'.encode(),
        "opening.jsonl": "".join(line + "\n" for line in opening).encode(),
        "prompt.json": prompt.encode(),
    }


def go(conversation: str) -> str:
    """The line that has the prompt said in that conversation."""
    return f"prompt {conversation}"
