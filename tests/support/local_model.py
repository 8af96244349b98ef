"""A real llama.cpp server on loopback, with a model so small that it is made on the spot: it says one word.

`python -m tests.support.local_model MODEL` serves the file and prints the address.

The model is a Llama of one layer whose attention adds nothing. What comes next depends on the last token alone,
which has a vector of its own in the first weights and is looked up in the last ones: from the colon that ends the
prompt through the letters of `SAYS` to the end.
The form of the file: https://github.com/ggml-org/ggml/blob/master/docs/gguf.md
"""

import contextlib
import os
import struct
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from importlib.util import find_spec
from pathlib import Path
from typing import Final

import pytest

SAYS: Final = "swarm."
CONTEXT: Final = 65_536
WIDTH: Final = 320
HEAD: Final = 32
SPECIAL: Final = ("<unk>", "<s>", "</s>")
END: Final = 2
TOKENS: Final = (*SPECIAL, *(f"<0x{byte:02X}>" for byte in range(256)))
TEMPLATE: Final = (
    "{% for message in messages %}{{ message.role }}: {{ message.content }}\n{% endfor %}"
    "{% if add_generation_prompt %}assistant:{% endif %}"
)
_ALIGNED: Final = 32


def require_llama() -> None:
    """Skip, saying so, where the group `local-model` is not installed; fail where `SWARM_REQUIRE` names llama."""
    if find_spec("xllamacpp"):
        return
    if "llama" in os.environ.get("SWARM_REQUIRE", ""):
        pytest.fail("SWARM_REQUIRE names llama, but xllamacpp is not installed")
    pytest.skip("xllamacpp is not installed: `uv sync --group local-model`")


@contextlib.contextmanager
def serving(place: Path) -> Iterator[str]:
    """The address of the server, below which is `/v1`."""
    model = place / "tiny.gguf"
    model.write_bytes(gguf())
    line = [sys.executable, "-m", "tests.support.local_model", str(model)]
    with (
        (place / "server.log").open("wb") as log,
        subprocess.Popen(line, stdout=subprocess.PIPE, stderr=log, text=True) as server,
    ):
        try:
            assert server.stdout is not None
            address = server.stdout.readline().strip()
            assert address, (place / "server.log").read_text()
            yield address
        finally:
            server.kill()


def gguf() -> bytes:
    """The model as a file: what it is, its weights by name, the weights."""
    names, weights = bytearray(), bytearray()
    tensors = _tensors()
    for name, (shape, values) in tensors.items():
        names += _text(name) + struct.pack("<I", len(shape))
        names += struct.pack(f"<{len(shape)}QIQ", *shape, 0, len(weights))
        weights += _padded(struct.pack(f"<{len(values)}f", *values))
    facts = _facts()
    head = b"GGUF" + struct.pack("<IQQ", 3, len(tensors), len(facts)) + b"".join(facts)
    return _padded(head + names) + weights


def _facts() -> list[bytes]:
    numbers = {
        "llama.context_length": CONTEXT,
        "llama.embedding_length": WIDTH,
        "llama.block_count": 1,
        "llama.feed_forward_length": HEAD,
        "llama.attention.head_count": 1,
        "llama.attention.head_count_kv": 1,
        "llama.attention.key_length": HEAD,
        "llama.attention.value_length": HEAD,
        "llama.rope.dimension_count": HEAD,
        "llama.vocab_size": len(TOKENS),
        "tokenizer.ggml.unknown_token_id": 0,
        "tokenizer.ggml.bos_token_id": 1,
        "tokenizer.ggml.eos_token_id": END,
    }
    kinds = [2, 3, 3] + [6] * 256  # unknown, control, control, bytes
    epsilon = struct.pack("<f", 1e-5)
    return [
        _fact("general.architecture", 8, _text("llama")),
        *(_fact(name, 4, struct.pack("<I", number)) for name, number in numbers.items()),
        _fact("llama.attention.layer_norm_rms_epsilon", 6, epsilon),
        _fact("tokenizer.ggml.model", 8, _text("llama")),
        _fact("tokenizer.ggml.tokens", 9, _list(8, [_text(token) for token in TOKENS])),
        _fact("tokenizer.ggml.scores", 9, _list(6, [struct.pack("<f", 0.0)] * len(TOKENS))),
        _fact("tokenizer.ggml.token_type", 9, _list(5, [struct.pack("<i", k) for k in kinds])),
        _fact("tokenizer.ggml.add_bos_token", 7, b"\1"),
        _fact("tokenizer.ggml.add_space_prefix", 7, b"\0"),
        _fact("tokenizer.chat_template", 8, _text(TEMPLATE)),
    ]


def _tensors() -> dict[str, tuple[tuple[int, ...], Sequence[float]]]:
    """Shape, the fastest dimension first, and values of each."""
    after = dict(zip(":" + SAYS, SAYS, strict=False))
    following = {_token(old): _token(new) for old, new in after.items()}
    wide, ones = (WIDTH, len(TOKENS)), ((WIDTH,), [1.0] * WIDTH)
    first = _marked(wide, {(token, token): 1.0 for token in range(len(TOKENS))})
    last = _marked(wide, {(following.get(t, END), t): 10.0 for t in range(len(TOKENS))})
    into, out = (WIDTH, HEAD), (HEAD, WIDTH)
    return {
        "token_embd.weight": (wide, first),
        "output.weight": (wide, last),
        "output_norm.weight": ones,
        "blk.0.attn_norm.weight": ones,
        "blk.0.ffn_norm.weight": ones,
        **{f"blk.0.{name}.weight": (into, _marked(into)) for name in _INTO},
        **{f"blk.0.{name}.weight": (out, _marked(out)) for name in ("attn_output", "ffn_down")},
    }


_INTO: Final = ("attn_q", "attn_k", "attn_v", "ffn_gate", "ffn_up")


def _marked(
    shape: tuple[int, int], marks: dict[tuple[int, int], float] | None = None
) -> list[float]:
    """A table of noughts, but for some places given as row and column."""
    columns, rows = shape
    values = [0.0] * (columns * rows)
    for (row, column), value in (marks or {}).items():
        values[row * columns + column] = value
    return values


def _token(letter: str) -> int:
    return len(SPECIAL) + ord(letter)


def _fact(name: str, kind: int, value: bytes) -> bytes:
    return _text(name) + struct.pack("<I", kind) + value


def _text(text: str) -> bytes:
    return struct.pack("<Q", len(text.encode())) + text.encode()


def _list(kind: int, items: Sequence[bytes]) -> bytes:
    return struct.pack("<IQ", kind, len(items)) + b"".join(items)


def _padded(data: bytes) -> bytes:
    return data + bytes(-len(data) % _ALIGNED)


def main(model: str) -> None:
    """Serve the model until killed."""
    import xllamacpp

    params = xllamacpp.CommonParams()
    params.model.path = model
    params.n_ctx = CONTEXT
    params.n_parallel = 1
    params.hostnames = ["127.0.0.1"]
    params.port = 0
    # Else it holds a model without a form of its own for tools to one it knows no word of.
    params.force_pure_content_parser = True
    server = xllamacpp.Server(params)
    sys.stdout.write(server.listening_address + "\n")
    sys.stdout.flush()
    while True:
        time.sleep(3600)


if __name__ == "__main__":
    main(sys.argv[1])
