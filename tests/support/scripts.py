"""Scripted agents for tests, written as short as they are meant."""

import json
from typing import Any

Step = dict[str, Any]


def scripted(*turns: list[Step]) -> dict[str, Any]:
    """A catalogue entry, as in `config.yaml`, of an agent that plays these turns."""
    # Steps used twice are copied: YAML would write them as anchors, which the configuration refuses.
    apart = json.loads(json.dumps([{"steps": steps} for steps in turns]))
    return {
        "harness": "scripted",
        "model": "scripted",
        "image": "base",
        "settings": {"script": {"turns": apart}},
    }


def edit(path: str, content: str) -> Step:
    return {"edit": {"path": path, "content": content}}


def replace(path: str, old: str, new: str) -> Step:
    return {"edit": {"path": path, "replace": old, "with": new}}


def ask(
    title: str, *, tool: str, yes: list[Step], no: list[Step] | None = None, **more: Any
) -> Step:
    """A question to a person, or to the rules."""
    return {"ask": {"title": title, "tool": tool, "then": yes, "else": no or [], **more}}


def tokens(input_: int, output: int, times: int = 1) -> Step:
    """Model calls that report this usage."""
    return {"tokens": {"input": input_, "output": output, "times": times}}


def wait_for(path: str, name: str = "until") -> Step:
    """Work until a file of the host exists: the test decides how long that is."""
    return {"run": f"# {name}\nuntil [ -e '{path}' ]; do sleep 0.05; done"}
