"""What of a repository an agent's tree cannot have: told to the user, so that nobody wonders."""

from typing import Final

from app.repo.filenames import shown
from app.repo.git import checked_id
from app.repo.process import MIB, Bounds
from app.repo.repository import Repository, read_file

_LIST: Final = Bounds(seconds=60.0, output=256 * MIB)
_READ: Final = 256 * 1024
_MOST_NAMED: Final = 3


async def oddities(repo: Repository, commit: str) -> tuple[str, ...]:
    """In words, one for each: submodules, files in Git LFS, a sparse checkout."""
    said = []
    if names := await _submodules(repo, commit):
        more = f" and {len(names) - _MOST_NAMED} more" if len(names) > _MOST_NAMED else ""
        said.append(f"submodules are empty for the agent: {', '.join(names[:_MOST_NAMED])}{more}")
    if b"filter=lfs" in (await read_file(repo, commit, ".gitattributes", _READ) or b""):
        said.append("files in Git LFS are only their pointers for the agent")
    sparse = await repo.checkout().ask("config", "--type=bool", "core.sparseCheckout")
    if sparse.stdout.strip() == b"true":
        said.append("your checkout is sparse; the agent gets all files")
    return tuple(said)


async def _submodules(repo: Repository, commit: str) -> list[str]:
    if await read_file(repo, commit, ".gitmodules", _READ) is None:
        return []
    listed = await repo.git().run("ls-tree", "-r", "-z", checked_id(commit), bounds=_LIST)
    entries = (entry.partition(b"\t") for entry in listed.split(b"\0"))
    return [shown(path) for about, _, path in entries if about.startswith(b"160000")]
