"""A supervisor to be killed: starts an interactive program in a sandbox, talks to it once, and waits for ever.

Usage: python -m tests.support.supervise DRIVER ROOT SPEC, the spec as JSON.
"""

import asyncio
import sys
from pathlib import Path

import msgspec

from sandboxes import registry
from sandboxes.spec import Program, SandboxSpec

ECHO = Program(
    name="turn-1",
    argv=("sh", "-c", 'echo started; while read -r said; do echo "heard $said"; done'),
    interactive=True,
)


def encoded(spec: SandboxSpec) -> str:
    return msgspec.json.encode(spec, enc_hook=str).decode()


async def main(kind: str, root: str, spec: str) -> None:
    wanted = msgspec.json.decode(spec, type=SandboxSpec, dec_hook=lambda kind, value: kind(value))
    driver = registry.load(kind, Path(root))
    process = await (await driver.open(wanted)).start(ECHO)
    await process.send("one")
    async for line in process.lines():
        print(line.text, flush=True)


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
