"""The examples in docstrings are run: an example that nobody runs is soon wrong."""

import doctest
import importlib
import pkgutil
from collections.abc import Iterator

import pytest

import billing.pricing
import squill.lib


def _modules() -> Iterator[str]:
    for package in (billing.pricing, squill.lib):
        yield package.__name__
        for module in pkgutil.walk_packages(package.__path__, prefix=f"{package.__name__}."):
            yield module.name


@pytest.mark.parametrize("name", list(_modules()))
def test_examples_are_true(name: str) -> None:
    assert doctest.testmod(importlib.import_module(name)).failed == 0
