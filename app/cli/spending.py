"""Verbs about money: cost, and prices show, update, diff, override and reprice."""

from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from app.cli.call import Call, user_name
from app.cli.verbs import examples
from app.domain.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from app import wire
    from app.client.client import Swarm


class By(StrEnum):
    """What costs are added up by."""

    RUN = "run"
    TASK = "task"
    TURN = "turn"
    FLOW = "flow"
    AGENT = "agent"
    SUBAGENT = "subagent"
    MODEL = "model"
    DAY = "day"
    MONTH = "month"
    REPO = "repo"
    USER = "user"
    LABEL = "label"
    PRICES = "prices"
    KNOWN = "known"


ListFile = Annotated[
    Path,
    typer.Argument(
        metavar="FILE", help="The data.json that pydantic/genai-prices publishes, downloaded."
    ),
]


Day = Annotated[str, typer.Option(metavar="DAY", help="A day of UTC such as 2026-11-21, included.")]


@examples(
    "swarm cost",
    "swarm cost k3f9x --by subagent",
    "swarm cost --by model --since 2026-11-01",
    "swarm cost --by day --json",
)
def cost(
    ctx: typer.Context,
    of: Annotated[
        str, typer.Argument(metavar="[ID]", help="Only this run, or all runs of this task.")
    ] = "",
    *,
    by: Annotated[By, typer.Option("--by", help="What to add up by.")] = By.TASK,
    since: Day = "",
    until: Day = "",
) -> None:
    """Show what has been spent, as the gateway has metered it."""
    call = Call.of(ctx)
    lines = call.ask(lambda swarm: swarm.costs(by.value, of=of, since=since, until=until))
    call.show(lines, lambda: cost_text(lines, by))
    if not lines and not call.json:
        call.say("Nothing has been spent yet.")
    if not call.json and (unsure := sum(line.unsure for line in lines)):
        from app.domain.money import dollars

        call.say(f"{dollars(unsure)} of it is an upper bound: the usage of those calls never came.")


def cost_text(lines: "Sequence[wire.CostLine]", by: By) -> str:
    """Costs as a table, with their sum."""
    from app.cli.render import table
    from app.domain.money import dollars

    rows = [
        (
            line.key or "(none)",
            dollars(line.micros),
            str(line.calls),
            f"{line.input + line.cached:,}",
            f"{line.output:,}",
        )
        for line in lines
    ]
    if len(lines) > 1:
        numbers = [(x.calls, x.input + x.cached, x.output) for x in lines]
        calls, input_, output = (sum(one) for one in zip(*numbers, strict=True))
        spent = dollars(sum(line.micros for line in lines))
        rows.append(("total", spent, str(calls), f"{input_:,}", f"{output:,}"))
    heads = (by.value.upper(), "COST", "CALLS", "TOKENS IN", "TOKENS OUT")
    return table(heads, rows, right=frozenset({1, 2, 3, 4}))


@examples("swarm prices show sonnet", "swarm prices show gpt-5 --json")
def show(
    ctx: typer.Context,
    model: Annotated[str, typer.Argument(metavar="TEXT", help="Part of the model's name.")],
) -> None:
    """Show what models cost: dollars per million tokens, and by which list."""
    call = Call.of(ctx)
    lines = call.ask(lambda swarm: swarm.prices(model))
    call.show(lines, lambda: _prices_text(lines))


@examples("swarm prices diff data.json")
def diff(ctx: typer.Context, file: ListFile) -> None:
    """Show what a later price list would change. Nothing is fetched: you download it."""
    call = Call.of(ctx)
    _replace(call, file, install=False)


@examples("swarm prices update data.json")
def update(ctx: typer.Context, file: ListFile) -> None:
    """Charge by a later price list from now on. Earlier charges keep theirs."""
    call = Call.of(ctx)
    _replace(call, file, install=True)
    if not call.json:
        call.say("Calls are charged by this list from now on.")


@examples(
    "swarm prices override my-model --input 0.50 --output 2",
    "swarm prices override my-model --remove",
)
def override(
    ctx: typer.Context,
    model: Annotated[str, typer.Argument(metavar="MODEL", help="The model's id.")],
    *,
    input_: Annotated[
        str, typer.Option("--input", metavar="USD", help="US dollars for a million tokens sent.")
    ] = "",
    output: Annotated[
        str, typer.Option("--output", metavar="USD", help="The same for tokens received.")
    ] = "",
    cache_read: Annotated[
        str, typer.Option("--cache-read", metavar="USD", help="Otherwise as --input.")
    ] = "",
    cache_write: Annotated[
        str, typer.Option("--cache-write", metavar="USD", help="Otherwise twice --input.")
    ] = "",
    remove: Annotated[bool, typer.Option("--remove", help="Charge by the list again.")] = False,
) -> None:
    """Say what a model costs, whatever the price list says. Earlier charges keep theirs."""
    if remove == bool(input_ and output):
        raise UsageError("say what it costs with --input and --output, or --remove, not both")
    given = {
        "input": input_, "output": output, "cache_read": cache_read, "cache_write": cache_write
    }  # fmt: skip
    from app import wire
    from app.domain.money import parse_dollars

    try:
        rates = {name: parse_dollars(text) for name, text in given.items() if text}
    except ValueError as error:
        raise UsageError(str(error)) from None
    call = Call.of(ctx)
    body = wire.PriceOverride(model=model, by=user_name(), **rates)
    lines = call.ask(lambda swarm: swarm.override_price(body))
    call.show(lines, lambda: _prices_text(lines) if lines else "")
    if not call.json:
        by = "this price" if lines and not remove else "the price list"
        call.say(f"Calls of {model} are charged by {by} from now on.")


@examples(
    "swarm prices reprice k3f9x.1 --model claude-haiku-4-5 --model gpt-5",
    "swarm prices reprice k3f9x.1",
)
def reprice(
    ctx: typer.Context,
    run: Annotated[str, typer.Argument(metavar="ID", help="The run, or its task.")],
    *,
    model: Annotated[
        list[str] | None,
        typer.Option("--model", metavar="M", help="Another model; give as many as you like."),
    ] = None,
) -> None:
    """Show what a run would have cost with other models, or again at the rates it was charged by."""
    call = Call.of(ctx)

    async def ask(swarm: "Swarm") -> list["wire.Repriced"]:
        return [await swarm.reprice(run, each) for each in model or [""]]

    found = call.ask(ask)
    call.show(found, lambda: _repriced_text(found))


def _repriced_text(found: "Sequence[wire.Repriced]") -> str:
    from app.cli.render import table
    from app.domain.money import dollars

    spent = ("(charged)", dollars(found[0].spent), str(found[0].calls))
    rows = [(each.model or "(the same rates)", dollars(each.micros), "") for each in found]
    return table(("MODEL", "COST", "CALLS"), [spent, *rows], right=frozenset({1, 2}))


def _replace(call: Call, file: Path, *, install: bool) -> None:
    from app import wire

    try:
        text = file.read_text()
    except (OSError, UnicodeDecodeError) as error:
        raise UsageError(f"{file} cannot be read: {error}") from None
    body = wire.PriceFile(text=text, install=install, by=user_name())
    changes = call.ask(lambda swarm: swarm.replace_prices(body))
    call.show(changes, lambda: _changes_text(changes))


def _prices_text(lines: "Sequence[wire.PriceLine]") -> str:
    from app.cli.render import table

    rows = [
        (
            line.model,
            line.provider,
            f"> {line.above:,}" if line.above >= 0 else "",
            *(_rate(one) for one in (line.input, line.output, line.cache_read, line.cache_write)),
            line.data,
        )
        for line in lines
    ]
    heads = ("MODEL", "PROVIDER", "TOKENS", "IN", "OUT", "CACHE READ", "CACHE WRITE", "LIST")
    return table(heads, rows, right=frozenset({3, 4, 5, 6}))


def _changes_text(changes: "Sequence[wire.PriceChange]") -> str:
    from app.cli.render import table

    if not changes:
        return "No price differs."
    rows = [(each.model, each.provider, _both(each.before), _both(each.after)) for each in changes]
    return table(("MODEL", "PROVIDER", "BEFORE", "AFTER"), rows)


def _both(line: "wire.PriceLine | None") -> str:
    return "-" if line is None else f"{_rate(line.input)} / {_rate(line.output)}"


def _rate(micros: int) -> str:
    return f"${micros / 1_000_000:g}"
