"""What a test needs that a machine may lack."""

import os
import shutil

import pytest


def require_tool(*names: str) -> str:
    """
    Return the path of the first of these programs that is installed.

    Without any, the test is skipped on a laptop and fails where CI is set: nothing is skipped there.
    """
    for name in names:
        path = shutil.which(name)
        if path is not None:
            return path
    message = f"this test needs {' or '.join(names)}: make setup installs it as root, or says how"
    if os.environ.get("CI"):
        pytest.fail(message)
    pytest.skip(message)
