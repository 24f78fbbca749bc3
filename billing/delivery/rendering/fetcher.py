"""
The gate between a document and everything outside it: shut.

Imports WeasyPrint, so only `billing.delivery.rendering.engine` may import it.
"""

from typing import Never

from weasyprint.urls import URLFetcher


class NothingMayBeFetched(URLFetcher):  # type: ignore[misc]  # WeasyPrint has no types
    """
    Refuse every address: files, networks and data alike.

    Documents hold nothing that has to be fetched (styles and fonts are handed over, charts are inline), so that a name or text
    which a customer chose can never make the server read a file or call another machine, whatever gets past the escaping.
    """

    def fetch(self, url: str, headers: dict[str, str] | None = None) -> Never:
        """
        Refuse the address.

        :raises PermissionError: always; WeasyPrint logs it and goes on without the resource
        """
        raise PermissionError(f"a document fetches nothing, not {url[:80]!r}")
