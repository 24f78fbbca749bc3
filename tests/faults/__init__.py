"""
Attack and fault: at a small size in every run of the tests, at the full one by `FAULTS=full python -m pytest tests/faults`.
"""

import os

FULL = os.environ.get("FAULTS") == "full"
