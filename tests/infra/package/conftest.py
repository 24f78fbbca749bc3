"""What several tests of the package look at."""

from pathlib import Path

import pytest

from infra.package import native
from infra.package.places import only_one_at_a_time
from tests.tools import require_tool


@pytest.fixture(scope="session")
def libraries() -> Path:
    """The folder of native libraries; fetched where nothing is kept."""
    require_tool("apt-get")
    require_tool("dpkg-deb")
    with only_one_at_a_time():
        return native.libraries()
