"""Signs and lines for terminals that know no more than ASCII: each is as wide as what it stands for."""

import os
from collections.abc import Mapping
from typing import Final

from rich.segment import Segment
from textual.color import Color
from textual.filter import LineFilter

from app.wire_screen import Signs

IN_ASCII: Final[Mapping[str, str]] = {
    **dict(zip("·…✓✗▸●─–—│▌⇧↵→←↓↑×▾▼░█‖±", ".~vx>*---||^<><v^xvv.#=~", strict=True)),
    **dict(zip("╱▏▎▍▋▊▉▕▔▁▂▃▄▅▆▇┃━┏┓┗┛┌┐└┘├┤┬┴┼", "/|||||||-_..::##|-+++++++++++++", strict=True)),
}
"""What the screen draws with, and what stands for it. Letters of other alphabets stay as they are."""
_TABLE: Final = str.maketrans({**IN_ASCII, **{chr(code): "?" for code in range(0x2400, 0x2427)}})


class AsciiSigns(LineFilter):
    """Draws every sign of the screen's own in ASCII."""

    def apply(self, segments: list[Segment], background: Color) -> list[Segment]:
        """The same cells, in other letters."""
        return [
            segment
            if segment.text.isascii()
            else segment._replace(text=segment.text.translate(_TABLE))
            for segment in segments
        ]


def in_ascii(wanted: Signs, environment: Mapping[str, str] = os.environ) -> bool:
    """Whether to draw in ASCII: as the person says, else as the terminal's locale does."""
    if wanted != "auto":
        return wanted == "ascii"
    named = next(
        (environment[name] for name in ("LC_ALL", "LC_CTYPE", "LANG") if environment.get(name)), ""
    )
    told = named.lower().replace("-", "")
    return environment.get("TERM", "") == "linux" or (bool(told) and "utf8" not in told)
