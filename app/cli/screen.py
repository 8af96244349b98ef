"""Bare `swarm`: the screen, or the board as text where there is no terminal."""

import sys

from app.cli.call import Call, terminal
from app.cli.verbs import leaves


def open_here(call: Call) -> None:
    """Open the screen for this repository."""
    root = str(call.root() or "")
    if not call.json and terminal(sys.stdout) and sys.stdin.isatty():
        from app.tui.app import open_screen

        open_screen(call.state, root, verbs=tuple(" ".join(words) for words, _leaf in leaves()))
        return
    from app.cli.lists import board_text

    board = call.ask(lambda swarm: swarm.board(root))
    call.show(board, lambda: board_text(board))
    if not call.json:
        call.say("This is the board as plain text. For the screen, call `swarm` in a terminal.")
