"""An ordinary base image with Node, made without an image registry, for the shipped Dockerfiles to stand on.

Debian comes from its package archive (`debootstrap`), Node and npm from the npm registry, the certificates
from this machine, since it may reach both through a proxy that signs for itself.
"""

import hashlib
import os
import platform
import shutil
import ssl
import subprocess
import tarfile
import tempfile
from pathlib import Path

import pytest

from tests.support.images import building, exists, npm_pack

NODE = "22.23.3"
NPM = "10.9.9"
SUITE = "bookworm"
_CERTIFICATES = "usr/local/share/host-certificates.pem"
_CHANGES = [
    "ENV PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
    f"ENV NODE_EXTRA_CA_CERTS=/{_CERTIFICATES}",
]


def node_image() -> str:
    """The tag of the base image; made when missing, which takes a minute."""
    told = hashlib.sha256(Path(__file__).read_bytes() + _certificates().read_bytes())
    name, version = "swarm-test-node", f"{NODE}-{told.hexdigest()[:12]}"
    with building() as api:
        if not exists(api, f"{name}:{version}"):
            with tempfile.TemporaryDirectory(prefix="swarm-node-") as made:
                packed = _packed(Path(made))
                api.import_image_from_file(
                    str(packed), repository=name, tag=version, changes=_CHANGES
                )
    return f"{name}:{version}"


def _packed(work: Path) -> Path:
    root, packed = work / "root", work / "root.tar"
    _debian(root)
    _node(root)
    certificates = root / _CERTIFICATES
    shutil.copyfile(_certificates(), certificates)
    certificates.chmod(0o644)
    subprocess.run(["tar", "-C", root, "-cf", packed, "--exclude=./dev/*", "."], check=True)
    shutil.rmtree(root)
    return packed


def _debian(root: Path) -> None:
    if shutil.which("debootstrap") is None or os.getuid() != 0:
        said = "debootstrap and root are needed to make a base image without an image registry"
        if "docker" in os.environ.get("SWARM_REQUIRE", ""):
            pytest.fail(said)
        pytest.skip(said)
    asked = ["debootstrap", "--variant=minbase", SUITE, str(root)]
    subprocess.run(asked, check=True, stdout=subprocess.DEVNULL)


def _node(root: Path) -> None:
    """Node where the official image has it, npm beside it."""
    machine = {"x86_64": "x64", "aarch64": "arm64"}[platform.machine()]
    local = root / "usr/local"
    with tarfile.open(npm_pack(f"node-linux-{machine}", NODE)) as archive:
        content = archive.extractfile("package/bin/node")
        assert content is not None
        with (local / "bin/node").open("wb") as node:
            shutil.copyfileobj(content, node)
    (local / "bin/node").chmod(0o755)
    modules = local / "lib/node_modules"
    modules.mkdir(parents=True, exist_ok=True)
    with tarfile.open(npm_pack("npm", NPM)) as archive:
        archive.extractall(modules, filter="data")
    (modules / "package").rename(modules / "npm")
    for name in ("npm", "npx"):
        program = modules / f"npm/bin/{name}-cli.js"
        program.chmod(0o755)
        (local / "bin" / name).symlink_to(f"../lib/node_modules/npm/bin/{name}-cli.js")


def _certificates() -> Path:
    found = ssl.get_default_verify_paths().cafile or "/etc/ssl/certs/ca-certificates.crt"
    return Path(os.environ.get("SSL_CERT_FILE", found))
