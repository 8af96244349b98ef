"""The real agent programs as anybody starts them: without swarm's switches, and with a proxy that hears them.

They run in a plain container on this machine's loopback, where a scripted endpoint serves models and the
proxy notes every host that is asked for, and lets nothing through.
"""

import asyncio
import contextlib
import json
from collections.abc import AsyncIterator, Mapping
from typing import Final

from docker import APIClient
from docker.utils import kwargs_from_env

from app.gateway.rehearsal import Rehearsal
from tests.support.agents_image import agents_image

KEY: Final = "sk-of-nobody"
HOME: Final = "/tmp/home"
_START: Final = 'mkdir -p "$HOME" && exec timeout 120 "$@" </dev/null'


async def calls_home(agent: str) -> str:
    """The first host besides its model's that the program asks for on its own; empty when it asks for none."""
    async with Rehearsal(key=KEY) as provider, _listening() as (proxy, asked):
        argv, env = _start(agent, provider.url)
        ways = {"HTTPS_PROXY": proxy, "https_proxy": proxy, "NO_PROXY": "127.0.0.1", "HOME": HOME}
        with contextlib.closing(APIClient(version="auto", **kwargs_from_env())) as api:
            made = _created(api, argv, {**ways, **env})
            try:
                api.start(made)
                ended = asyncio.create_task(asyncio.to_thread(api.wait, made))
                first = asyncio.create_task(asked.get())
                await asyncio.wait({ended, first}, return_when=asyncio.FIRST_COMPLETED)
                return first.result() if first.done() else ""
            finally:
                api.remove_container(made, force=True)
                await ended
                first.cancel()


def _start(agent: str, url: str) -> tuple[list[str], dict[str, str]]:
    """Its command line and environment: who serves the model, and nothing else."""
    if agent == "claude-code":
        return ["claude", "-p", "hello"], {"ANTHROPIC_BASE_URL": url, "ANTHROPIC_AUTH_TOKEN": KEY}
    if agent == "codex":
        served = f'{{name="x", base_url="{url}/v1", env_key="KEY", wire_api="responses"}}'
        config = ["-c", "model_provider=x", "-c", f"model_providers.x={served}"]
        return ["codex", "exec", "--skip-git-repo-check", *config, "hello"], {"KEY": KEY}
    served_by = {
        "npm": "@ai-sdk/openai-compatible",
        "options": {"baseURL": f"{url}/v1", "apiKey": KEY},
        "models": {"m": {"name": "m"}},
    }
    config_of = json.dumps({"provider": {"x": served_by}})
    return ["opencode", "run", "-m", "x/m", "hello"], {"OPENCODE_CONFIG_CONTENT": config_of}


@contextlib.asynccontextmanager
async def _listening() -> AsyncIterator[tuple[str, asyncio.Queue[str]]]:
    """A proxy's address, and the hosts that are asked for there."""
    asked: asyncio.Queue[str] = asyncio.Queue()

    async def refuse(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(OSError, asyncio.IncompleteReadError):
            head = (await reader.readuntil(b"\r\n\r\n")).decode()
            asked.put_nowait(head.split()[1].rpartition(":")[0])
            writer.write(b"HTTP/1.1 403 Forbidden\r\ncontent-length: 0\r\n\r\n")
            await writer.drain()
        writer.close()

    async with await asyncio.start_server(refuse, "127.0.0.1", 0) as server:
        yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}", asked


def _created(api: APIClient, argv: list[str], env: Mapping[str, str]) -> str:
    host = api.create_host_config(network_mode="host", tmpfs={"/tmp": "mode=1777,exec"})
    made = api.create_container(
        agents_image(),
        argv,
        entrypoint=["sh", "-c", _START, "sh"],
        environment=dict(env),
        working_dir="/tmp",
        host_config=host,
    )
    return str(made["Id"])
