"""The LiteLLM proxy, installed into a throw-away environment for a benchmark, and nowhere else."""

import asyncio
import contextlib
import os
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path

import aiohttp
import yaml

from tests.support.model_endpoint import MODEL

NEEDS = ("litellm[proxy]>=1.100", "mcp")
INSTALL_SECONDS = 600.0
READY_SECONDS = 180.0


@dataclass(frozen=True)
class Proxy:
    """One that answers."""

    url: str
    pid: int
    version: str
    ready: float
    """Seconds from its start to its first answer, its files having been read once before."""


@contextlib.asynccontextmanager
async def litellm_proxy(provider: str) -> AsyncIterator[Proxy | str]:
    """A proxy before that provider; why there is none, in words, where it cannot be had."""
    with tempfile.TemporaryDirectory(prefix="litellm") as name:
        directory = Path(name)
        try:
            await asyncio.to_thread(_install, directory)
        except (OSError, subprocess.SubprocessError) as error:
            yield f"LiteLLM could not be installed: {error}"
            return
        # The first start compiles its files, which is nobody's daily wait.
        async with _started(directory, provider) as first:
            if isinstance(first, str):
                yield first
                return
        async with _started(directory, provider) as proxy:
            yield proxy


def _install(directory: Path) -> None:
    uv = Path(sys.executable).with_name("uv")
    python = directory / "venv/bin/python"
    steps: tuple[list[str | Path], ...] = (
        [uv, "venv", "-q", "--python", sys.executable, directory / "venv"],
        [uv, "pip", "install", "-q", "--python", python, *NEEDS],
    )
    for argv in steps:
        subprocess.run(argv, check=True, capture_output=True, timeout=INSTALL_SECONDS)


@contextlib.asynccontextmanager
async def _started(directory: Path, provider: str) -> AsyncIterator[Proxy | str]:
    there = {"model": f"anthropic/{MODEL}", "api_base": provider, "api_key": "sk-bench"}
    config = directory / "config.yaml"
    models = [{"model_name": MODEL, "litellm_params": there}]
    config.write_text(yaml.safe_dump({"model_list": models}))
    port = _free_port()
    env = {name: os.environ[name] for name in ("PATH", "LANG") if name in os.environ}
    env |= {"HOME": str(directory), "LITELLM_LOCAL_MODEL_COST_MAP": "True", "LITELLM_LOG": "ERROR"}
    # On loopback, for a provider that bills nobody: any key will do.
    env |= {"LITELLM_DANGEROUSLY_PERMIT_WEAK_OR_UNSET_MASTER_KEY": "true"}
    began = time.perf_counter()
    process = await asyncio.create_subprocess_exec(
        *(directory / "venv/bin/litellm", "--config", config, "--host", "127.0.0.1", "--port", str(port)),
        env=env,
        cwd=directory,
        stdout=asyncio.subprocess.DEVNULL,
        stderr=asyncio.subprocess.DEVNULL,
    )  # fmt: skip
    url = f"http://127.0.0.1:{port}"
    try:
        if not await _answers(f"{url}/health/liveliness", process):
            yield "LiteLLM was installed and does not answer"
            return
        took = time.perf_counter() - began
        yield Proxy(f"{url}/v1/messages", process.pid, _version(directory), took)
    finally:
        with contextlib.suppress(ProcessLookupError):
            process.terminate()
        await process.wait()


async def _answers(url: str, process: asyncio.subprocess.Process) -> bool:
    async with aiohttp.ClientSession() as session:
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(READY_SECONDS):
                while process.returncode is None:
                    with contextlib.suppress(aiohttp.ClientError):
                        async with session.get(url) as response:
                            if response.status == 200:
                                return True
                    await asyncio.sleep(0.05)
    return False


def _version(directory: Path) -> str:
    found = next(directory.glob("venv/lib/*/site-packages/litellm-*.dist-info"))
    return found.name.removeprefix("litellm-").removesuffix(".dist-info")


def _free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as free:
        return int(free.getsockname()[1])
