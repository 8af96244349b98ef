"""The image a repository or a person names for agents to stand on, as it is approved: by its content."""

import hashlib

import msgspec

from app.domain.base import Value


class ImageFile(Value, frozen=True):
    """A file that the build gets to see."""

    path: str
    """In the repository; the build sees it by the same path."""
    content: bytes


class OwnImage(Value, frozen=True):
    """Either an image that is on this machine, or what one is built from."""

    name: str
    """Of the image, or the path of the Dockerfile in the repository."""
    image: str = ""
    """The engine's id of the image, which changes with its content; empty for one that is built."""
    files: tuple[ImageFile, ...] = ()
    """The Dockerfile first, then all that it may copy."""
    notes: tuple[str, ...] = ()
    """What stands beside it and is not done."""

    @property
    def digest(self) -> str:
        """What an approval binds: another content is another digest."""
        told = msgspec.json.encode((self.name, self.image, self.files))
        return hashlib.sha256(told).hexdigest()

    @property
    def base(self) -> str:
        """What agents' images are made from: an image of this machine."""
        return self.image or f"swarm-own:{self.digest[:12]}"
