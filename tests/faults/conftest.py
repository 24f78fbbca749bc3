from tests.billing.conftest import documents, renderings

__all__ = ["documents", "renderings"]
