"""The real programs by themselves: `docker run` in the same image, hardly isolated, straight to the provider."""

import json
from collections.abc import Callable, Mapping
from typing import Final, TypeAlias

from tests.support.agents_image import agents_image

KEY: Final = "sk-bench"
PROMPT: Final = "Say hello"
MODEL: Final = "gpt-5.5"
Start: TypeAlias = tuple[Mapping[str, str], tuple[str, ...]]
"""Environment and command line."""


def argv(url: str, agent: str = "claude-code", *options: str) -> list[str]:
    """`docker run` of that agent, which asks its model at the address."""
    env, command = STARTS[agent](url)
    words = ["docker", "run", "--rm", *options, "--network", "host"]
    words += ["--tmpfs", "/home/agent:mode=1777", "-e", "HOME=/home/agent"]
    words += [word for name, value in env.items() for word in ("-e", f"{name}={value}")]
    return [*words, agents_image(), *command]


def _claude(url: str) -> Start:
    env = {
        "ANTHROPIC_BASE_URL": url,
        "ANTHROPIC_AUTH_TOKEN": KEY,
        "CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC": "1",
    }
    return env, ("claude", "-p", PROMPT)


def _codex(url: str) -> Start:
    provider = f'{{name="bare",base_url="{url}/v1",env_key="BARE_KEY",wire_api="responses"}}'
    settings = ("-c", 'model_provider="bare"', "-c", f"model_providers.bare={provider}")
    acts = ("--skip-git-repo-check", "--dangerously-bypass-approvals-and-sandbox")
    return {"BARE_KEY": KEY}, ("codex", "exec", *acts, *settings, "-m", MODEL, PROMPT)


def _opencode(url: str) -> Start:
    provider = {
        "npm": "@ai-sdk/openai-compatible",
        "options": {"baseURL": f"{url}/v1", "apiKey": KEY},
        "models": {MODEL: {"name": MODEL, "tool_call": True}},
    }
    config = {"model": f"bare/{MODEL}", "provider": {"bare": provider}}
    quiet = ("AUTOUPDATE", "MODELS_FETCH", "LSP_DOWNLOAD", "DEFAULT_PLUGINS", "SHARE")
    env = {f"OPENCODE_DISABLE_{name}": "1" for name in quiet}
    return {**env, "OPENCODE_CONFIG_CONTENT": json.dumps(config)}, ("opencode", "run", PROMPT)


STARTS: Final[Mapping[str, Callable[[str], Start]]] = {
    "claude-code": _claude,
    "codex": _codex,
    "opencode": _opencode,
}
