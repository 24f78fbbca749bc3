"""
The gate between a document and everything outside it: shut, but for the pictures that were handed over with it.

Imports WeasyPrint, so only `billing.delivery.rendering.engine` may import it.
"""

from collections.abc import Sequence

from weasyprint.urls import URLFetcher, URLFetcherResponse

from billing.delivery.rendering.pictures import Picture


class OnlyWhatCameAlong(URLFetcher):  # type: ignore[misc]  # WeasyPrint has no types
    """
    Refuse every address: files, networks and data alike. A picture's is made of its content, and answered from memory.

    Documents hold nothing else that has to be fetched (styles and fonts are handed over, charts are inline), so that a name
    which a customer chose can never make the server read a file or call another machine, whatever gets past the escaping.
    """

    def bring(self, pictures: Sequence[Picture]) -> None:
        """Answer for these pictures, and for those of the document before no more."""
        self._pictures = {picture.address: picture for picture in pictures}

    def fetch(self, url: str, headers: dict[str, str] | None = None) -> URLFetcherResponse:
        """
        Return the picture, or refuse the address.

        :raises PermissionError: for every other address; WeasyPrint logs it and goes on without the resource
        """
        picture = self._pictures.get(url)
        if picture is None:
            raise PermissionError(f"a document fetches nothing, not {url[:80]!r}")
        return URLFetcherResponse(url, picture.content, {"Content-Type": picture.media_type})

    _pictures: dict[str, Picture] = {}  # noqa: RUF012 (replaced, never changed)
