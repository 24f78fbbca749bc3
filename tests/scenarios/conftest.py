"""What the stories share with the tests of billing."""

from tests.billing.conftest import documents

__all__ = ["documents"]
