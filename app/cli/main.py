"""The `swarm` command: picks the verb, and turns every way it can end into words and an exit code."""

import gc
import os
import sys
from collections.abc import Sequence
from typing import Annotated, NoReturn

import typer
from typer.core import TyperGroup

from app.cli.call import Call, ReaderGone
from app.cli.failure import report
from app.cli.verbs import Verbs, shared_options
from app.domain.errors import SwarmError, UsageError

INTERRUPTED = 130
HELP = """Agents that write code, side by side: each in its own sandbox, on its own branch, within its budget.

Without a verb, opens the screen for the repository you are in.

\b
Exit codes:
  0 done   1 failed   2 usage   3 needs a human   4 budget   5 environment   130 interrupted
"""
EPILOG = """\b
Examples:
  swarm
  swarm run "Fix the flaky test in tests/test_io.py" --check "make test" --budget 1.00
  swarm ps
  swarm run --help
"""


def main() -> NoReturn:
    """The entry point."""
    code = run(sys.argv[1:])
    # Whatever is left ends with the process: looking through it for garbage first took a sixth of a short verb.
    gc.freeze()
    sys.exit(code)


def run(arguments: Sequence[str]) -> int:
    """Carry out one command line; the exit code."""
    as_json = "--json" in arguments
    try:
        code = _carried_out(arguments)
    except SwarmError as error:
        return report(error, as_json=as_json)
    except (KeyboardInterrupt, typer.Abort):
        code = INTERRUPTED
    except ReaderGone:
        # What Python still wants to flush at its end goes nowhere.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    except Exception as error:  # the process edge: a bug is told in one line
        if os.environ.get("SWARM_DEBUG"):
            raise
        what = f"this is a bug in swarm: {type(error).__name__}: {error}"
        return report(SwarmError(what, hint="SWARM_DEBUG=1 shows where."), as_json=as_json)
    if code == INTERRUPTED:
        sys.stderr.write("swarm: interrupted\n")
    return code


def _carried_out(arguments: Sequence[str]) -> int:
    refused: type[Exception] | None = typer.BadParameter.__base__
    assert refused is not None
    try:
        code = command().main(list(arguments), prog_name="swarm", standalone_mode=False)
    except refused as error:
        raise _usage(error) from None
    return code if isinstance(code, int) else 0


def _usage(error: Exception) -> UsageError:
    """What the user typed cannot be read: the toolkit's words, and where help is."""
    context: typer.Context | None = getattr(error, "ctx", None)
    message = getattr(error, "format_message", lambda: str(error))()
    if context is None:
        return UsageError(message, hint="`swarm --help` lists the verbs.")
    if type(error).__name__ == "NoArgsIsHelpError":
        message = f"`{context.command_path}` needs one of the verbs below it"
    return UsageError(
        message[:1].lower() + message[1:].rstrip("."), hint=f"See `{context.command_path} --help`."
    )


def command() -> TyperGroup:
    """The whole command line, with no verb imported yet."""
    app = typer.Typer(
        cls=Verbs, rich_markup_mode=None, add_completion=False, pretty_exceptions_enable=False
    )
    app.callback(
        invoke_without_command=True, help=HELP, epilog=EPILOG, context_settings=_help_options()
    )(_bare)
    group = typer.main.get_command(app)
    assert isinstance(group, TyperGroup)
    group.params.extend(shared_options())
    return group


def _help_options() -> dict[str, object]:
    return {"help_option_names": ["-h", "--help"], "max_content_width": 100}


def _version(value: bool) -> None:  # noqa: FBT001 - the toolkit's signature
    if value:
        from app.cli.version import version

        sys.stdout.write(f"swarm {version()}\n")
        raise typer.Exit


def _bare(
    ctx: typer.Context,
    *,
    _show_version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Print the version.")
    ] = False,
) -> None:
    if ctx.invoked_subcommand is None:
        from app.cli.screen import open_here

        open_here(Call.of(ctx))
