"""The one loop that drives a session over a channel."""

from collections.abc import AsyncGenerator

from harnesses.base import Channel, Line, Send, Session
from harnesses.events import AgentEvent


async def converse(
    session: Session, channel: Channel
) -> AsyncGenerator[tuple[Line, int, AgentEvent], None]:
    """Feed every line to the session, send its replies, and yield what the agent says.

    Each event comes with its line and its number within that line: together they name it, the same each
    time the output is read again. Ends when the lines end.
    """
    lines = channel.lines()
    try:
        async for line in lines:
            index = 0
            for item in session.receive(line.text):
                if isinstance(item, Send):
                    await channel.send(item.line)
                else:
                    yield line, index, item
                    index += 1
    finally:
        # Whoever stops listening early must not leave the output open until the collector comes by.
        if isinstance(lines, AsyncGenerator):
            await lines.aclose()
