"""The agent of the page about adding one: asks its model once, writes down what it says, and ends its turn."""

import json
import os
import sys
import urllib.request
from pathlib import Path


def say(**message: object) -> None:
    print(json.dumps({"jsonrpc": "2.0", **message}), flush=True)


def update(**news: object) -> None:
    say(method="session/update", params={"sessionId": "s-1", "update": news})


def asked_model(text: str) -> str:
    body = {"model": os.environ["MY_AGENT_MODEL"], "messages": [{"role": "user", "content": text}]}
    request = urllib.request.Request(
        os.environ["MY_AGENT_URL"] + "/chat/completions",
        json.dumps(body).encode(),
        {
            "authorization": f"Bearer {os.environ['MY_AGENT_KEY']}",
            "content-type": "application/json",
        },
    )
    with urllib.request.urlopen(request) as reply:
        return str(json.load(reply)["choices"][0]["message"]["content"])


def work(prompt: str) -> None:
    Path("self-test.txt").write_text(asked_model(prompt) + "\n")
    path = str(Path("self-test.txt").absolute())
    update(
        sessionUpdate="tool_call",
        toolCallId="1",
        title="write",
        kind="edit",
        status="completed",
        locations=[{"path": path}],
    )


assert sys.argv[1:] == ["acp"]
for line in sys.stdin:
    call = json.loads(line)
    match call.get("method"):
        case "initialize":
            about = {"name": "my-agent", "version": "1.0"}
            result = {"protocolVersion": 1, "agentCapabilities": {}, "agentInfo": about}
        case "session/new":
            result = {"sessionId": "s-1"}
        case "session/prompt":
            work(call["params"]["prompt"][-1]["text"])
            result = {"stopReason": "end_turn"}
        case _:
            continue
    say(id=call["id"], result=result)
