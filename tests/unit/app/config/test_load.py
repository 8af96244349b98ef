"""Defaults, the user's file, the repository's file, flags: later wins, and each value knows where it is from."""

from decimal import Decimal
from pathlib import Path

import pytest

from app.config.load import Loaded, Origin, load
from app.config.settings import Settings
from app.config.yamltext import parse
from app.domain.errors import ConfigError


def loaded(directory: Path, user: str = "", repo: str | None = None, **flags: str) -> Loaded:
    if user:
        (directory / "config.yaml").write_text(user)
    text = None if repo is None else repo.encode()
    dotted = {name.replace("__", "."): value for name, value in flags.items()}
    return load(user=directory, repo_text=text, repo_name="repo.yaml", flags=dotted)


def test_without_any_file_the_shipped_defaults_hold(tmp_path: Path) -> None:
    assert loaded(tmp_path).settings == Settings()


def test_every_default_comes_from_the_shipped_file(tmp_path: Path) -> None:
    assert {origin.file for origin in loaded(tmp_path).origins.values()} == {"defaults.yaml"}


def test_an_empty_file_changes_nothing(tmp_path: Path) -> None:
    assert loaded(tmp_path, "# nothing\n", "").settings == Settings()


def test_a_users_value_wins_over_the_default(tmp_path: Path) -> None:
    assert loaded(tmp_path, "agent: codex").settings.agent == "codex"


def test_a_repositorys_value_wins_over_the_users(tmp_path: Path) -> None:
    assert loaded(tmp_path, "agent: codex", "agent: opencode").settings.agent == "opencode"


def test_a_flag_wins_over_every_file(tmp_path: Path) -> None:
    assert loaded(tmp_path, "agent: a", "agent: b", agent="c").settings.agent == "c"


def test_a_flag_may_raise_what_a_repository_lowered(tmp_path: Path) -> None:
    both = loaded(tmp_path, "budget: {run: 2}", "budget: {run: 1}", budget__run="5.00")
    assert both.settings.budget.micros == 5_000_000


def test_each_value_knows_file_and_line(tmp_path: Path) -> None:
    origins = loaded(tmp_path, "\nmax_turns: 2\n", "# x\n\nchecks: [make]\n", agent="c").origins
    assert origins["max_turns"] == Origin(str(tmp_path / "config.yaml"), 2)
    assert origins["checks"] == Origin("repo.yaml", 3)
    assert str(origins["agent"]) == "command line"
    assert str(origins["sandbox.memory"]).startswith("defaults.yaml:")


def test_every_setting_has_an_origin(tmp_path: Path) -> None:
    origins = loaded(tmp_path, "agents: {mine: {model: x}}").origins
    for name in Settings.model_fields:
        assert any(key.split(".")[0] == name for key in origins)


def test_mappings_are_merged_key_by_key(tmp_path: Path) -> None:
    user = "gateway: {upstreams: {anthropic: {key: 'file:/k'}}}"
    upstream = loaded(tmp_path, user).settings.gateway.upstreams["anthropic"]
    assert (upstream.url, upstream.key) == ("https://api.anthropic.com", "file:/k")


def test_a_further_upstream_keeps_the_shipped_ones(tmp_path: Path) -> None:
    user = "gateway: {upstreams: {local: {url: 'http://127.0.0.1:11434/'}}}"
    upstreams = loaded(tmp_path, user).settings.gateway.upstreams
    assert sorted(upstreams) == ["anthropic", "google", "local", "openai"]
    assert upstreams["local"].url == "http://127.0.0.1:11434"


def test_lists_are_replaced_whole(tmp_path: Path) -> None:
    both = loaded(tmp_path, "checks: [a, b]", "checks: [c]")
    assert both.settings.checks == ("c",)


def test_an_empty_mapping_takes_nothing_away(tmp_path: Path) -> None:
    assert loaded(tmp_path, "gateway: {upstreams: {}}").settings == Settings()


@pytest.mark.parametrize("written", ["1.5", '"1.50"', '"$1.50"'])
def test_money_is_exact_however_it_is_written(written: str, tmp_path: Path) -> None:
    budget = loaded(tmp_path, f"budget: {{run: {written}}}").settings.budget
    assert (budget.run, budget.micros) == (Decimal("1.5"), 1_500_000)


@pytest.mark.parametrize(
    ("written", "size"), [("512m", 512 * 1024**2), ("2 GiB", 2 * 1024**3), ("64K", 64 * 1024)]
)
def test_sizes_are_bytes(written: str, size: int, tmp_path: Path) -> None:
    sandbox = loaded(tmp_path, f"sandbox: {{memory: {written}}}").settings.sandbox
    assert sandbox.memory_bytes == size


def test_a_flag_is_text_where_the_setting_is_text(tmp_path: Path) -> None:
    assert loaded(tmp_path, target="1.0").settings.target == "1.0"


def test_a_flag_is_read_as_yaml_where_the_setting_is_not_text(tmp_path: Path) -> None:
    flags = loaded(tmp_path, checks="[make, 'make lint']", sandbox__cpus="1.5").settings
    assert (flags.checks, flags.sandbox.cpus) == (("make", "make lint"), 1.5)


def test_a_flag_that_is_no_setting_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"command line: budget\.runn is not a setting; did"):
        loaded(tmp_path, budget__runn="1")


@pytest.mark.parametrize("text", ["[", "x"])
def test_a_flag_that_cannot_be_meant_is_refused(text: str, tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="command line: checks should be a list"):
        loaded(tmp_path, checks=text)


@pytest.mark.parametrize(
    "line",
    [
        "sandbox: {driver: local}",
        "gateway: {unknown_model: free}",
        "agents: {x: {}}",
        "worktrees: /tmp",
        "concurrency: 99",
        "database: sqlite://",
        "instructions: false",
    ],
)
def test_a_repository_may_not_set_what_could_widen(line: str, tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="only your own config may set " + line.partition(":")[0]):
        loaded(tmp_path, repo=line)


def test_a_repository_may_narrow(tmp_path: Path) -> None:
    repo = (
        "agent: x\ntarget: dev\nchecks: [a]\nmax_turns: 1\nbudget: {run: 0.5}\napprovals: cautious"
    )
    settings = loaded(tmp_path, repo=repo).settings
    assert (settings.target, settings.max_turns, settings.approvals) == ("dev", 1, "cautious")


def test_a_repository_may_not_raise_the_budget(tmp_path: Path) -> None:
    with pytest.raises(
        ConfigError, match=r"repo.yaml:2: budget.run may only be lower than your own, \$1.00"
    ):
        loaded(tmp_path, repo="budget:\n  run: 1.01")


def test_a_repository_may_not_loosen_approvals(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="approvals may only be stricter than your own") as caught:
        loaded(tmp_path, "approvals: cautious", "approvals: balanced")
    assert "config show" in caught.value.hint


def test_a_repository_may_leave_out_what_its_user_allows(tmp_path: Path) -> None:
    own, repo = "network: {allow: [pypi, npm]}", "network: {allow: [pypi.org], bytes: 1m}"
    network = loaded(tmp_path, own, repo).settings.network
    assert (network.hosts, network.limit) == (("pypi.org",), 1024**2)


def test_a_repository_may_not_open_the_network(tmp_path: Path) -> None:
    with pytest.raises(
        ConfigError, match=r"repo.yaml:1: network.allow .* not add deb\.debian\.org"
    ):
        loaded(tmp_path, "network: {allow: [pypi]}", "network: {allow: [pypi, deb.debian.org]}")


def test_a_repository_may_not_raise_what_passes_to_the_network(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"network\.bytes may only be lower than your own, 10m"):
        loaded(tmp_path, "network: {bytes: 10m}", "network: {bytes: 11m}")


def test_everything_wrong_with_a_repositorys_file_is_told_at_once(tmp_path: Path) -> None:
    with pytest.raises(ConfigError) as caught:
        loaded(tmp_path, repo="sandbox: {driver: local}\nagnet: x")
    assert len(caught.value.message.splitlines()) == 2


def test_settings_cannot_be_changed(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="frozen"):
        loaded(tmp_path).settings.agent = "x"  # type: ignore[misc]


def test_a_byte_order_mark_is_no_fault() -> None:
    assert parse(b"\xef\xbb\xbfagent: x").data == {"agent": "x"}


def test_rules_about_paths_add_up(tmp_path: Path) -> None:
    own, repo = "paths: {confirm: ['*.sql'], allow: [docs/]}", "paths: {confirm: [src/auth/]}"
    policy = loaded(tmp_path, own, repo).settings.policy
    assert (policy.confirm, policy.allow) == (("*.sql", "src/auth/"), ("docs/",))


def test_a_repository_may_not_allow_paths(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"repo.yaml:1: paths.allow is not a repository's to say"):
        loaded(tmp_path, "paths: {allow: [docs/]}", "paths: {allow: ['*']}")


def test_a_repository_may_not_let_secrets_through(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="only your own config may set secrets"):
        loaded(tmp_path, repo="secrets: {allow: ['jwt:0123456789ab']}")


def test_a_secret_in_place_of_its_fingerprint_is_not_repeated(tmp_path: Path) -> None:
    for written in ("[hunter2hunter2]", "hunter2hunter2"):
        with pytest.raises(ConfigError, match=r"config.yaml:1: secrets.allow") as caught:
            loaded(tmp_path, f"secrets: {{allow: {written}}}")
        assert "hunter2" not in str(caught.value)


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("quiet: 25:00-07:00", "should be two times of day such as 22:00-07:00"),
        ('command: "notify \'send"', "should be a command such as"),
        ("webhook: hooks.example.com", "should be an address such as https://example.com/hook"),
        ("about: [reviews]", "did you mean 'review'?"),
    ],
)
def test_what_is_wrong_with_notices_is_said(line: str, expected: str, tmp_path: Path) -> None:
    (tmp_path / "config.yaml").write_text(f"notify:\n  {line}\n")
    with pytest.raises(ConfigError) as caught:
        load(user=tmp_path)
    assert expected in caught.value.message


def test_a_webhook_that_cannot_be_meant_is_not_repeated(tmp_path: Path) -> None:
    (tmp_path / "config.yaml").write_text("notify:\n  webhook: hooks.example.com/s3cret\n")
    with pytest.raises(ConfigError) as caught:
        load(user=tmp_path)
    assert "s3cret" not in caught.value.message


def test_a_repository_cannot_say_who_is_told(tmp_path: Path) -> None:
    text = b"notify:\n  command: curl\n"
    with pytest.raises(ConfigError, match="is not a repository's to say"):
        load(user=tmp_path, repo_text=text)
