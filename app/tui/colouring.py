"""A process that colours source text: `python -m app.tui.colouring`, a line of JSON in, a line of JSON out.

What an agent wrote can make any grammar slow; in a process of its own it cannot make the screen wait, and can be
ended with it.
"""

import json
import sys

from app.tui.model.colours import colours


def main() -> None:
    for question in sys.stdin:
        asked = json.loads(question)
        answer = colours(asked["path"], asked["signs"], asked["texts"])
        sys.stdout.write(json.dumps(answer) + "\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main()
