"""The settings a person can write, each with a sentence below it. Frozen; unknown keys are refused.

`docs/reference/config.md` is generated from this file. Loading and merging is `app.config.load`.
"""

from collections.abc import Mapping
from decimal import Decimal
from typing import Annotated, Any, Final, Literal, TypeAlias

from pydantic import BeforeValidator, Field, model_validator

from app.config.api import ApiSettings
from app.config.caches import Cache
from app.config.monitors import MonitorSettings
from app.config.networks import check_network, hosts_of
from app.config.routing import SHIPPED_MODELS, RetireSettings, RoutingSettings
from app.config.screen import NotifySettings, ScreenSettings
from app.config.section import Section
from app.config.values import (
    as_list,
    bytes_of,
    check_fingerprint,
    check_key_reference,
    check_name,
    check_pattern,
    check_proxy,
    check_url,
    database_of,
    dollars_of,
    size_of,
    span_of,
)
from app.config.worker import WorkerSettings
from app.domain.money import Micros, parse_dollars
from app.domain.policy import ChangePolicy

Dollars: TypeAlias = Annotated[Decimal, BeforeValidator(dollars_of)]
Count: TypeAlias = Annotated[int, Field(strict=True, ge=1)]
Percent: TypeAlias = Annotated[int, Field(strict=True, ge=1, le=100)]
Span: TypeAlias = Annotated[str, BeforeValidator(span_of)]
Size: TypeAlias = Annotated[str, BeforeValidator(size_of)]
KeyReference: TypeAlias = Annotated[str, BeforeValidator(check_key_reference)]
Url: TypeAlias = Annotated[str, BeforeValidator(check_url)]
ProxyAddress: TypeAlias = Annotated[str, BeforeValidator(check_proxy)]
Name: TypeAlias = Annotated[str, BeforeValidator(check_name)]
NetworkEntry: TypeAlias = Annotated[str, BeforeValidator(check_network)]
Pattern: TypeAlias = Annotated[str, BeforeValidator(check_pattern)]
Fingerprint: TypeAlias = Annotated[str, BeforeValidator(check_fingerprint)]

Dialect: TypeAlias = Literal["anthropic", "responses", "chat", "gemini"]
Approvals: TypeAlias = Literal["cautious", "balanced", "autonomous"]
STRICTNESS: tuple[Approvals, ...] = ("autonomous", "balanced", "cautious")
"""From the most permissive to the strictest."""


class PeriodSettings(Section):
    """What one agent or one repository may spend."""

    day: Dollars | None = None
    """US dollars in a day (of UTC)."""
    month: Dollars | None = None
    """US dollars in a month."""
    day_tokens: Count | None = None
    """Tokens in a day, sent and received."""
    month_tokens: Count | None = None
    """Tokens in a month."""
    day_time: Span | None = None
    """How long agents may work in a day, all together, for example `8h`."""
    month_time: Span | None = None
    """How long in a month."""


class BudgetSettings(Section):
    """What may be spent. A limit that is left out is none."""

    run: Dollars = Decimal("1.00")
    """US dollars one run of a task may spend at most; the gateway stops it there."""
    request: Dollars | None = None
    """US dollars one model call may cost."""
    task: Dollars | None = None
    """US dollars all runs of a task may spend together."""
    flow: Dollars | None = None
    """US dollars all tasks of a flow may spend together."""
    day: Dollars | None = None
    """US dollars in a day (of UTC): in your own file all that is spent, in a repository's what is spent for it."""
    month: Dollars | None = None
    """US dollars in a month, in the same way."""
    agents: Mapping[Name, PeriodSettings] = Field(default_factory=dict)
    """Limits of single agents, by their name."""
    repositories: Mapping[str, PeriodSettings] = Field(default_factory=dict)
    """Limits of single repositories, by their absolute path."""
    tokens: Count | None = None
    """Tokens one run may use, sent and received; for models that cost nothing."""
    task_tokens: Count | None = None
    """Tokens all runs of a task may use together."""
    flow_tokens: Count | None = None
    """Tokens all tasks of a flow may use together."""
    day_tokens: Count | None = None
    """Tokens in a day (of UTC): in your own file all that are used, in a repository's what are used for it."""
    month_tokens: Count | None = None
    """Tokens in a month, in the same way."""
    time: Span | None = None
    """How long an agent may work until a person looks, for example `90s`, `45m` or `2h`; a resume starts anew."""
    task_time: Span | None = None
    """How long the agents of all runs of a task may work together, until a person looks at one of them."""
    flow_time: Span | None = None
    """How long the agents of all tasks of a flow may work together, in the same way."""
    day_time: Span | None = None
    """How long agents may work in a day (of UTC): in your own file all of them, in a repository's those in it."""
    month_time: Span | None = None
    """How long in a month, in the same way."""
    request_rate: Count = 600
    """Model calls of one run in a minute; more than that is a loop, not work."""
    on_limit: Literal["park", "stop"] = "park"
    """At a limit: `park` keeps the agent waiting and asks you for more, `stop` ends it at once."""
    park: Span = "1h"
    """How long a parked agent waits for your answer; after that it ends, and the question stays."""
    warn: tuple[Percent, ...] = (80,)
    """Percentages of a limit at which you are told, once each."""

    @property
    def micros(self) -> Micros:
        """What a run may spend, as micro-dollars."""
        return parse_dollars(str(self.run))


class SandboxSettings(Section):
    """Where agents and checks run, and how much of the machine they may take."""

    driver: Name = "docker"
    """`docker`; `bwrap`: namespaces, no limit on memory; `local`: no isolation. Both of these only when named."""
    image: str = ""
    """Image to use instead of the agent's own; empty for the one `swarm image build` makes."""
    memory: Size = "2g"
    """Memory of one sandbox, for example `512m` or `2g`; swap is not added."""
    cpus: Annotated[float, Field(strict=True, gt=0)] = 2.0
    """Processor cores one sandbox may use."""
    pids: Count = 256
    """Processes and threads one sandbox may have at a time."""
    disk: Size = "10g"
    """Disk one sandbox may take; at the limit it is halted, and you are asked whether it may take as much more."""
    free_disk: Size = "5g"
    """Disk that always stays free; below it every sandbox is halted until there is room, or you say otherwise."""
    runtime: str = ""
    """Container runtime, for example `runsc`; empty for the engine's default."""
    history: Literal["auto", "mirror", "shared"] = "auto"
    """What agents read of your history: `mirror`, all behind their base; `shared`, everything; `auto`, by size."""
    patience: Span = "2m"
    """How long runs at work wait for a Docker that does not answer, or a git that cannot write; then they fail."""

    @property
    def memory_bytes(self) -> int:
        """`memory` as a number of bytes."""
        return bytes_of(self.memory)

    @property
    def disk_bytes(self) -> int:
        """`disk` as a number of bytes."""
        return bytes_of(self.disk)

    @property
    def free_disk_bytes(self) -> int:
        """`free_disk` as a number of bytes."""
        return bytes_of(self.free_disk)


class ImageSettings(Section):
    """What agents' images stand on instead of swarm's, once you approved its content (`swarm image approve`)."""

    name: str = ""
    """An image on this machine, of Debian or Ubuntu, for example `python:3.12-bookworm`."""
    dockerfile: str = ""
    """A Dockerfile of the repository, by its path in it."""
    files: tuple[str, ...] = ()
    """Files of the repository that the Dockerfile copies, by their paths; it sees no others."""
    devcontainer: str = ""
    """A devcontainer.json of the repository; the image or Dockerfile it names is taken, and nothing else of it."""

    @model_validator(mode="after")
    def _one_of_them(self) -> "ImageSettings":
        if sum(map(bool, (self.name, self.dockerfile, self.devcontainer))) > 1:
            raise ValueError("should name one of `name`, `dockerfile` and `devcontainer`")
        return self


class NetworkSettings(Section):
    """What agents may reach besides models: nothing, unless it stands here. Only over TLS, only at port 443."""

    allow: tuple[NetworkEntry, ...] = ()
    """Full names of hosts, and presets of package registries such as `pypi` or `npm`; see the how-to page."""
    bytes: Size = "1g"
    """What one run may send and receive that way, all in all; then its connections are cut."""

    @property
    def hosts(self) -> tuple[str, ...]:
        """The hosts that `allow` stands for."""
        return hosts_of(self.allow)

    @property
    def limit(self) -> int:
        """`bytes` as a number."""
        return bytes_of(self.bytes)


class UpstreamSettings(Section):
    """A model provider the gateway may call."""

    url: Url
    """Base address as the provider tells it, for example `https://api.anthropic.com` or `http://localhost:11434/v1`."""
    dialects: Annotated[tuple[Dialect, ...], Field(min_length=1)] = ("anthropic",)
    """What it speaks: `anthropic` (Messages), `responses` and `chat` (both OpenAI's), `gemini` (Google's)."""
    key: KeyReference = ""
    """Where the API key is: `env:NAME`, `file:PATH`, `cmd:COMMAND` or `keyring:SERVICE/USER`; empty for none."""
    auth: Literal["auto", "x-api-key", "api-key", "x-goog-api-key", "bearer"] = "auto"
    """The header that carries the key; `auto` takes the usual one of the dialect."""
    query: Mapping[str, str] = Field(default_factory=dict)
    """Parameters added to every address, for example `api-version`."""
    models: tuple[str, ...] = ()
    """Model names it serves, with `*` and `?`; empty for any."""
    aliases: Mapping[str, str] = Field(default_factory=dict)
    """Model names as agents write them, to the ids this provider knows."""
    unknown_model: Literal["refuse", "assume", "free"] | None = None
    """Models without a known price here: `free` for a local server. Else as `gateway.unknown_model` says."""
    ca: str = ""
    """PEM file with the authorities that may vouch for it; empty for the system's."""
    proxy: ProxyAddress = ""
    """Outgoing HTTP proxy, or `none`; empty for what the supervisor's environment says."""
    timeout: Annotated[float, Field(strict=True, gt=0)] = 600.0
    """Seconds without a byte after which a call counts as failed."""


class AssumedPrice(Section):
    """Dollars per million tokens for a model whose price is not known."""

    input: Dollars = Decimal(25)
    """Dollars per million tokens sent, cached or not."""
    output: Dollars = Decimal(125)
    """Dollars per million tokens received."""


class PriceSettings(Section):
    """Dollars per million tokens of one model, instead of the shipped price list."""

    input: Dollars
    """Dollars per million tokens sent."""
    output: Dollars
    """Dollars per million tokens received."""
    cache_read: Dollars | None = None
    """Dollars per million tokens read from the provider's cache; the input price when left out."""
    cache_write: Dollars | None = None
    """Dollars per million tokens written to the provider's cache; twice the input price when left out."""


def _default_upstreams() -> dict[str, UpstreamSettings]:
    return {
        "anthropic": UpstreamSettings(url="https://api.anthropic.com", key="env:ANTHROPIC_API_KEY"),
        "openai": UpstreamSettings(
            url="https://api.openai.com/v1",
            dialects=("responses", "chat"),
            key="env:OPENAI_API_KEY",
        ),
        "google": UpstreamSettings(
            url="https://generativelanguage.googleapis.com",
            dialects=("gemini",),
            key="env:GEMINI_API_KEY",
        ),
    }


SHIPPED_UPSTREAMS: Final = ("anthropic", "openai", "google")
"""Asked after those that the user has added."""


class GatewaySettings(Section):
    """The metering proxy between agents and models."""

    upstreams: Mapping[Name, UpstreamSettings] = Field(default_factory=_default_upstreams)
    """Model providers by name; `anthropic`, `openai` and `google` ship with addresses and usual variables."""
    unknown_model: Literal["refuse", "assume", "free"] = "refuse"
    """A model without a known price is refused, charged at the `assume` price, or free (local models)."""
    assume: AssumedPrice = AssumedPrice()
    """The price per million tokens with `unknown_model: assume`."""
    park_after: Span = "5m"
    """A provider that asks to wait longer than this parks the run, which goes on by itself at that time."""
    prices: Mapping[str, PriceSettings] = Field(default_factory=dict)
    """Prices per million tokens by model id, where the shipped price list is wrong or silent."""


class PathSettings(Section):
    """Changes that you want stopped, confirmed or told, by file. A repository's own list adds to yours."""

    block: tuple[Pattern, ...] = ()
    """Patterns as in .gitignore: nobody may approve a change to these."""
    confirm: tuple[Pattern, ...] = ()
    """A person confirms a change to each of these."""
    warn: tuple[Pattern, ...] = ()
    """A change to these is told above the diff."""
    allow: tuple[Pattern, ...] = ()
    """Files that swarm by itself need not ask about; what would fool git or your eyes is blocked all the same."""


class SecretSettings(Section):
    """Keys, tokens and passwords in changes and messages."""

    allow: tuple[Fingerprint, ...] = ()
    """Secrets that may be there, by the fingerprint that findings show."""


class Settings(Section):
    """Everything that can be configured."""

    agent: Name = "claude-code"
    """The agent that gets a task when none is named; `swarm agents` lists them."""
    target: str = ""
    """Branch that approved changes land on; empty for the branch that is checked out."""
    checks: tuple[str, ...] = ()
    """Shell commands that must succeed, in a fresh sandbox, before a change is shown as ready."""
    budget: BudgetSettings = BudgetSettings()
    """What may be spent."""
    copies: tuple[str, ...] = ()
    """Patterns, as in .gitignore, of ignored files of your checkout for agents; private ones by exact name."""
    setup: tuple[str, ...] = ()
    """Shell commands that must succeed in a sandbox before the agent starts, and before checks do."""
    teardown: tuple[str, ...] = ()
    """Shell commands that run in a run's sandbox before it is removed."""
    caches: Mapping[Name, Cache] = Field(default_factory=dict)
    """Directories by name, read-only in sandboxes at /swarm/caches/NAME: a path, or `path` and `repositories`."""
    max_turns: Count = 3
    """Turns a run may use by itself, mending what the checks found, before a person looks."""
    approvals: Approvals = "balanced"
    """How often an agent must ask inside its sandbox: `cautious`, `balanced` or `autonomous`."""
    answer_within: Span | None = None
    """A question of an agent that nobody answers within this, for example `4h`, is answered with no."""
    sandbox: SandboxSettings = SandboxSettings()
    """Where agents and checks run, and how much of the machine they may take."""
    image: ImageSettings = ImageSettings()
    """What agents' images stand on."""
    network: NetworkSettings = NetworkSettings()
    """What agents may reach besides models."""
    monitors: MonitorSettings = MonitorSettings()
    """What happens when a run looks as if something were wrong with it."""
    paths: PathSettings = PathSettings()
    """Changes that you want stopped, confirmed or told, by file."""
    secrets: SecretSettings = SecretSettings()
    """Keys, tokens and passwords in changes and messages."""
    gateway: GatewaySettings = GatewaySettings()
    """The metering proxy between agents and models."""
    agents: Mapping[Name, Mapping[str, Any]] = Field(default_factory=dict)
    """Agents of your own by name, and changes to the shipped ones; see the reference of agents."""
    models: Mapping[Name, Annotated[tuple[str, ...], BeforeValidator(as_list)]] = SHIPPED_MODELS
    """Names for what you mean: lists of `agent/model`, agents and other names; the first that can work does."""
    retire: Mapping[str, RetireSettings] = Field(default_factory=dict)
    """Ends of models by id, told 30 days before; the ends that are known are shipped."""
    routing: RoutingSettings = RoutingSettings()
    """Who gets a task. The rules stand in `routes.yaml`."""
    notify: NotifySettings = NotifySettings()
    """Who is told what when nobody looks at the screen."""
    screen: ScreenSettings = ScreenSettings()
    """How the screen looks, and which keys it hears."""
    worktrees: str = ""
    """Directory for the worktrees of runs; empty for one below the state directory."""
    concurrency: Count = 4
    """Runs that may be at work at the same time; the others wait."""
    database: Annotated[str, BeforeValidator(database_of)] = ""
    """SQLAlchemy address of a PostgreSQL database shared by several hosts; empty for SQLite."""
    api: ApiSettings = ApiSettings()
    """The API over the network."""
    worker: WorkerSettings = WorkerSettings()
    """This host among others that share the database."""
    needs: tuple[Name, ...] = ()
    """Labels that a host must have to be given a task; see `worker.labels`."""
    instructions: Annotated[bool, Field(strict=True)] = True
    """Whether agents get the repository's own AGENTS.md or CLAUDE.md, read from the base commit."""

    @model_validator(mode="after")
    def _reachable_by_all(self) -> "Settings":
        if self.worker.repository and not self.database:
            raise ValueError("`worker.repository` needs `database`: all hosts share one PostgreSQL")
        return self

    @property
    def policy(self) -> ChangePolicy:
        """What `paths` and `secrets` say together."""
        return ChangePolicy(**self.paths.model_dump(), secrets=self.secrets.allow)
