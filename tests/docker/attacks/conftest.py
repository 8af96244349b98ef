"""One repository and one box for all attacks of a file."""

from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from tests.support.siege import Siege, besieged


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def siege(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Siege]:
    root = tmp_path_factory.mktemp("siege")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("HOME", str(root / "home"))
        patch.delenv("XDG_CONFIG_HOME", raising=False)
        (root / "home").mkdir()
        async with besieged(root) as found:
            yield found
