"""Named points at which a process can be made to die, so that tests prove that dying anywhere loses nothing."""

import os
import signal
from collections import Counter

# name or name:n; refused in production by the settings.
FAILPOINT_VARIABLE = "SQUILL_FAILPOINT"
_passed: Counter[str] = Counter()


def passing(name: str) -> None:
    """Die by SIGKILL if SQUILL_FAILPOINT names this point and it is passed for the n-th time (the first by default)."""
    wanted = os.environ.get(FAILPOINT_VARIABLE)
    if not wanted:
        return
    wanted_name, _, count = wanted.partition(":")
    if wanted_name != name:
        return
    _passed[name] += 1
    if _passed[name] == int(count or 1):
        os.kill(os.getpid(), signal.SIGKILL)
