"""The configurations of the manual's page on providers load, and lead where that page says."""

import re
from pathlib import Path

import pytest

from app.config.load import load
from app.gateway.prices import Price, Prices
from app.gateway.server import DIALECTS
from app.gateway.settings import DialectName, GatewaySettings
from app.gateway.upstreams import Upstreams, address, credentials
from app.supervisor.money import gateway_settings

PAGE = Path(__file__).parents[4] / "docs/how-to/choose-model-providers.md"
EXAMPLES = re.findall(r"^```yaml\n(.*?)^```$", PAGE.read_text(), re.MULTILINE | re.DOTALL)
NOW = 1_790_000_000.0
BEARER = {"authorization": "Bearer K"}
CHAT = "/v1/chat/completions"


def configured(model: str, tmp_path: Path) -> GatewaySettings:
    """The example that mentions the model or a pattern of it, as the gateway takes it."""
    [text] = [each for each in EXAMPLES if model in each]
    (tmp_path / "config.yaml").write_text(text)
    return gateway_settings(load(user=tmp_path).settings.gateway)


@pytest.mark.parametrize(
    ("mark", "model", "dialect", "where", "header", "input_"),
    [
        ("openrouter:", "anthropic/claude-sonnet-4.5", "chat",
         "https://openrouter.ai/api/v1/chat/completions", BEARER, 3_000_000),
        ("openrouter:", "openrouter/anthropic/claude-sonnet-4.5", "anthropic",
         "https://openrouter.ai/api/v1/messages", BEARER, 3_000_000),
        ("openai/v1\n      dialects: [responses", "gpt-5.5", "responses",
         "https://example.openai.azure.com/openai/v1/responses", {"api-key": "K"}, 5_000_000),
        ("deployments/{model}", "gpt-4.1", "chat",
         "https://example.openai.azure.com/openai/deployments/our-deployment/chat/completions?api-version=2024-10-21",
         BEARER, 2_000_000),
        ("bedrock-runtime", "openai.gpt-oss-120b-1:0", "chat",
         "https://bedrock-runtime.us-west-2.amazonaws.com/openai/v1/chat/completions", BEARER, 150_000),
        ("vertex:", "google/gemini-2.5-pro", "chat",
         "https://europe-west1-aiplatform.googleapis.com/v1/projects/our-project/locations/europe-west1/endpoints/"
         "openapi/chat/completions", BEARER, 1_250_000),
        ("vertex-gemini:", "gemini-2.5-pro", "gemini",
         "https://europe-west1-aiplatform.googleapis.com/v1/projects/our-project/locations/europe-west1/publishers/"
         "google/models/gemini-2.5-pro:streamGenerateContent", BEARER, 1_250_000),
        ("ollama:", "qwen3", "chat", "http://localhost:11434/v1/chat/completions", BEARER, 0),
        ("ollama:", "ollama/gpt-oss:20b", "responses", "http://localhost:11434/v1/responses", BEARER, 0),
        ("ollama:", "llama-4", "chat", "http://localhost:8080/v1/chat/completions", BEARER, 0),
        ("ollama:", "deepseek-v4", "responses", "http://localhost:8000/v1/responses", BEARER, 0),
        ("company:", "claude-sonnet-4-5", "anthropic",
         "https://models.example.com/anthropic/v1/messages", BEARER, 3_000_000),
    ],
)  # fmt: skip
def test_an_example_leads_where_its_provider_listens(
    mark: str,
    model: str,
    dialect: DialectName,
    where: str,
    header: dict[str, str],
    input_: int,
    tmp_path: Path,
) -> None:
    settings = configured(mark, tmp_path)
    upstream, id_ = Upstreams(settings.upstreams).choose(model, dialect)
    spoken = next(each for each in DIALECTS if each.name == dialect)
    assert address(upstream, spoken.routes[0].upstream, id_) == where
    assert credentials(upstream, "K", dialect) == header
    prices = Prices(settings)
    price = prices.find(
        id_,
        NOW,
        provider=prices.provider(upstream.url) or spoken.provider,
        unknown=upstream.unknown_model,
    )
    assert isinstance(price, Price), price
    assert price.rates(100).input == input_


def test_every_example_is_looked_at() -> None:
    marks: tuple[str, ...] = (
        "openrouter:",
        "[responses, chat]\n      key: env:AZURE",
        "deployments/",
        "bedrock:",
    )
    marks += ("vertex:", "vertex-gemini:", "ollama:", "company:")
    assert [sum(mark in example for example in EXAMPLES) for mark in marks] == [1] * len(EXAMPLES)
