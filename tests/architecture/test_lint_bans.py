"""Each rule that the project bans by ruff is shown to bite, with the project's own configuration."""

import subprocess
import sys
from pathlib import Path

import pytest

from squill.postgres.home import CHECKOUT


def _reported(source: str, *, filename: str = "billing/rating/lines.py") -> set[str]:
    program = Path(sys.executable).with_name("ruff")
    answer = subprocess.run(
        [
            program,
            "check",
            "--no-cache",
            "--config",
            "pyproject.toml",
            "--output-format",
            "concise",
            "--stdin-filename",
            filename,
            "-",
        ],
        cwd=CHECKOUT,
        input=source,
        capture_output=True,
        text=True,
        check=False,
    )
    assert answer.returncode in (0, 1), answer.stderr
    lines = [line for line in answer.stdout.splitlines() if line.startswith(filename)]
    return {line.split(": ", 1)[1].split()[0] for line in lines}


@pytest.mark.parametrize(
    ("source", "code"),
    [
        # The clock
        ("import datetime\n\ndatetime.datetime.now(datetime.UTC)\n", "TID251"),
        ("from datetime import UTC, datetime\n\ndatetime.now(UTC)\n", "TID251"),
        ("import datetime\n\ndatetime.datetime.utcnow()\n", "TID251"),
        ("import datetime\n\ndatetime.datetime.today()\n", "TID251"),
        ("from datetime import date\n\ndate.today()\n", "TID251"),
        ("from django.utils import timezone\n\ntimezone.now()\n", "TID251"),
        ("from django.utils.timezone import now\n\nnow()\n", "TID251"),
        ("from django.utils import timezone\n\ntimezone.localdate()\n", "TID251"),
        # Inexact numbers
        ("from django.db import models\n\nmodels.FloatField()\n", "TID251"),
        ("from django import forms\n\nforms.FloatField()\n", "TID251"),
        ("from rest_framework import serializers\n\nserializers.FloatField()\n", "TID251"),
        # Imports
        ("from . import terms\n\nterms.x()\n", "TID252"),
        ("from ..models import Invoice\n\nInvoice()\n", "TID252"),
        ("def late():\n    import json\n\n    return json\n", "PLC0415"),
        # The families that the style names
        ("import datetime\n\ndatetime.datetime(2024, 1, 1)\n", "DTZ001"),
        ("try:\n    x = 1\nexcept Exception:\n    x = 2\n", "BLE001"),
        ("try:\n    x = 1\nexcept:\n    x = 2\n", "E722"),
        ("print(1)\n", "T201"),
        ("assert 1\n", "S101"),
        ("def f(x=[]):\n    return x\n", "B006"),
        (
            "from django.db import models\n\n\nclass A(models.Model):\n    a = models.CharField(max_length=9, null=True)\n",
            "DJ001",
        ),
        ("import os\n", "F401"),
        ("x = 1  # noqa: S101\n", "RUF100"),
        ("from typing import List\n\nx: List[int] = []\n", "UP006"),
        ("import os\nimport json\n\nos.getcwd(json)\n", "I001"),
    ],
)
def test_ban_bites(source: str, code: str) -> None:
    assert code in _reported(source)


def test_pytest_style_is_linted_in_tests() -> None:
    assert "PT011" in _reported("import pytest\n\nwith pytest.raises(ValueError):\n    int('x')\n", filename="tests/test_x.py")


def test_the_clock_module_alone_may_read_the_clock() -> None:
    source = "from datetime import UTC, datetime\n\ndatetime.now(UTC)\n"
    assert _reported(source, filename="squill/lib/clock.py") == set()
    assert _reported(source, filename="squill/lib/interval.py") == {"TID251"}


def test_bans_hold_in_tests_and_migrations_too() -> None:
    source = "from django.utils import timezone\n\ntimezone.now()\n"
    assert _reported(source, filename="tests/billing/test_x.py") == {"TID251"}
    assert _reported(source, filename="billing/migrations/0009_x.py") == {"TID251"}


def test_clean_code_is_not_reported() -> None:
    assert _reported("from decimal import Decimal\n\nZERO = Decimal(0)\n") == set()
