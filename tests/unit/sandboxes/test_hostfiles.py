"""A root file system of this machine's own files."""

import io
import sys
import tarfile
from pathlib import Path

import pytest

from sandboxes import hostfiles
from sandboxes.errors import SandboxUnavailable


def test_another_system_cannot_lend_its_files(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "platform", "darwin")
    with pytest.raises(SandboxUnavailable, match="needs Linux") as caught:
        hostfiles.contents()
    assert "swarm image build" in caught.value.hint


def test_a_changed_file_is_another_digest(tmp_path: Path) -> None:
    path = tmp_path / "tool"
    path.write_text("one")
    before = hostfiles.digest([path])
    path.write_text("other")
    assert hostfiles.digest([path]) != before


def test_everything_lies_below_usr(tmp_path: Path) -> None:
    with tarfile.open(fileobj=io.BytesIO(hostfiles.packed([Path("/bin/sh")]))) as archive:
        assert "usr/bin/sh" in archive.getnames()


def test_a_link_is_packed_as_what_it_leads_to() -> None:
    with tarfile.open(fileobj=io.BytesIO(hostfiles.packed([Path("/bin/sh")]))) as archive:
        assert archive.getmember("usr/bin/sh").isfile()
