"""Who may name the image agents stand on, and how."""

from pathlib import Path

import pytest

from app.config.load import load
from app.config.settings import ImageSettings
from app.domain.errors import ConfigError
from app.domain.image import ImageFile, OwnImage


def image(tmp_path: Path, user: str, repo: str) -> ImageSettings:
    (tmp_path / "config.yaml").write_text(user)
    return load(user=tmp_path, repo_text=repo.encode()).settings.image


def test_a_repository_may_name_one(tmp_path: Path) -> None:
    found = image(tmp_path, "", "image: {dockerfile: Dockerfile, files: [a.txt]}\n")
    assert (found.dockerfile, found.files) == ("Dockerfile", ("a.txt",))


def test_a_repositorys_stands_in_place_of_the_users_and_not_beside_it(tmp_path: Path) -> None:
    found = image(tmp_path, "image: {name: ours}\n", "image: {dockerfile: Dockerfile}\n")
    assert (found.name, found.dockerfile) == ("", "Dockerfile")


def test_two_kinds_at_once_are_refused_with_the_place(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"config.yaml:1: image should name one of") as refused:
        image(tmp_path, "", "image: {name: a, dockerfile: b}\n")
    assert "`devcontainer`" in refused.value.message


def test_a_repository_still_may_not_choose_the_sandbox(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="only your own config may set sandbox"):
        image(tmp_path, "", "sandbox: {image: evil}\n")


@pytest.mark.parametrize(
    "other",
    [
        OwnImage(name="Dockerfile", files=(ImageFile(path="Dockerfile", content=b"FROM b"),)),
        OwnImage(name="Dockerfile", files=(ImageFile(path="Dockerfil", content=b"eFROM a"),)),
        OwnImage(name="other", files=(ImageFile(path="Dockerfile", content=b"FROM a"),)),
        OwnImage(name="Dockerfile", image="sha256:1"),
    ],
)
def test_another_content_is_another_digest(other: OwnImage) -> None:
    seen = OwnImage(name="Dockerfile", files=(ImageFile(path="Dockerfile", content=b"FROM a"),))
    assert seen.digest != other.digest


def test_words_beside_it_do_not_change_what_was_approved() -> None:
    assert OwnImage(name="a", notes=("told",)).digest == OwnImage(name="a").digest
