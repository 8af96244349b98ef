"""A disk of another machine is told from one of this machine's own."""

from pathlib import Path

import pytest

from app.domain.errors import EnvironmentProblem
from app.store.disks import kind_of, refuse_network_disk

MOUNTS = """\
22 1 8:1 / / rw,relatime shared:1 - ext4 /dev/sda1 rw
30 22 0:45 / /home rw shared:2 - nfs4 files:/home rw,vers=4.2
31 30 8:2 / /home/ada/local\\040disk rw - xfs /dev/sdb1 rw
32 22 0:46 / /homes rw - ext4 /dev/sdc1 rw
33 22 0:47 / /mnt/ssh rw master:3 propagate_from:1 - fuse.sshfs ada@far:/ rw
"""


@pytest.mark.parametrize(
    ("place", "kind"),
    [
        ("/var/lib", "ext4"),
        ("/home/ada/.local/state/swarm", "nfs4"),
        ("/home/ada/local disk/swarm", "xfs"),
        ("/homes/ada", "ext4"),
        ("/mnt/ssh/state", "fuse.sshfs"),
    ],
)
def test_a_directory_is_on_the_disk_that_is_mounted_nearest(place: str, kind: str) -> None:
    assert kind_of(Path(place), MOUNTS) == kind


@pytest.mark.parametrize("place", ["/home/ada/.local/state/swarm", "/mnt/ssh/state"])
def test_a_disk_of_another_machine_is_refused_and_named(place: str) -> None:
    with pytest.raises(EnvironmentProblem) as refused:
        refuse_network_disk(Path(place), MOUNTS)
    assert place in refused.value.message
    assert kind_of(Path(place), MOUNTS) in refused.value.message
    assert "SWARM_STATE_DIR" in refused.value.hint


def test_a_disk_of_its_own_is_taken(tmp_path: Path) -> None:
    refuse_network_disk(Path("/home/ada/local disk/swarm"), MOUNTS)
    refuse_network_disk(tmp_path)


def test_where_nothing_is_known_of_disks_none_is_refused() -> None:
    refuse_network_disk(Path("/anywhere"), "")
