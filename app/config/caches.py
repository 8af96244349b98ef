"""What sandboxes may read of this machine besides their repository: downloaded packages, compiled parts."""

from fnmatch import fnmatchcase
from pathlib import Path
from typing import Annotated, TypeAlias

from pydantic import BeforeValidator

from app.config.section import Section


class CacheSettings(Section):
    """A directory of this machine that sandboxes may read. A path alone is short for `{path: …}`."""

    path: str
    """The directory; `~` is your home."""
    repositories: tuple[str, ...] = ()
    """Paths of the repositories whose sandboxes see it, with `*` for anything; empty for all."""

    @property
    def place(self) -> Path:
        return Path(self.path).expanduser()

    def is_for(self, repository: Path) -> bool:
        """Whether the sandboxes of the repository at that path see it."""
        wanted = (str(Path(one).expanduser()) for one in self.repositories)
        return not self.repositories or any(fnmatchcase(str(repository), one) for one in wanted)


def _as_cache(value: object) -> object:
    return {"path": value} if isinstance(value, str) else value


Cache: TypeAlias = Annotated[CacheSettings, BeforeValidator(_as_cache)]
