"""Arguments that several verbs take."""

from typing import Annotated

import typer

Id = Annotated[str, typer.Argument(metavar="ID", help="A task or run, or the beginning of its id.")]
