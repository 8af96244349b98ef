"""What a host says of itself, and of who may ask it over the network: what is wrong is said with its place."""

from pathlib import Path

import pytest

from app.config.load import Loaded, load
from app.domain.errors import ConfigError

SHARED = "database: postgresql://swarm@db/swarm\n"
REPOSITORY = SHARED + "worker:\n  repository: "


def written(tmp_path: Path, text: str) -> Loaded:
    (tmp_path / "config.yaml").write_text(text)
    return load(user=tmp_path)


@pytest.mark.parametrize(
    "address",
    [
        "/srv/swarm.git",
        "ssh://git@hub/srv/swarm.git",
        "git@hub:swarm.git",
        "https://hub/{name}.git",
        "file:///srv/swarm.git",
    ],
)
def test_a_shared_repository_is_what_git_takes(tmp_path: Path, address: str) -> None:
    loaded = written(tmp_path, f"{REPOSITORY}{address!r}")
    assert loaded.settings.worker.repository == address


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (f"{REPOSITORY}swarm.git", "worker.repository should be a bare repository"),
        (f"{REPOSITORY}--upload-pack=x", "worker.repository should be a bare repository"),
        (f"{REPOSITORY}ext::sh", "worker.repository should be a bare repository"),
        ("worker:\n  repository: /srv/swarm.git", "`worker.repository` needs `database`"),
        ("worker:\n  dead_after: 1s", "`dead_after` should be 3s or more"),
        ("worker:\n  label: [big]", "did you mean 'labels'?"),
        ("worker:\n  labels: [a b]", "should be a name"),
        ("needs: [a b]", "should be a name"),
        ("api:\n  listen: here", "api.listen should be an address and a port"),
        ("api:\n  listen: localhost:70000", "api.listen should be an address and a port"),
        ("api:\n  listen: localhost:7433", "needs `certificate` and `key` with `listen`"),
    ],
)
def test_what_is_wrong_is_said(tmp_path: Path, text: str, said: str) -> None:
    with pytest.raises(ConfigError) as error:
        written(tmp_path, text)
    assert said in str(error.value)
    assert "config.yaml" in str(error.value)
