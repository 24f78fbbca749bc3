from collections.abc import Iterator
from pathlib import Path

import pytest

from infra.localaws.local_aws import LocalAws, running


@pytest.fixture(scope="module")
def aws(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalAws]:
    """A local AWS with nothing in it, for the tests of one module; retries wait for no minutes."""
    with running(tmp_path_factory.mktemp("aws") / Path("folder"), retry_seconds=0.05) as started:
        yield started
