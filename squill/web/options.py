"""What OPTIONS is answered with."""

from typing import Any

from rest_framework.metadata import BaseMetadata
from rest_framework.request import Request


class AllowAlone(BaseMetadata):
    """Say in the header Allow which methods a path takes, and nothing else: the OpenAPI document says the rest."""

    def determine_metadata(self, request: Request, view: Any) -> None:
        """Return no body."""
        return None
