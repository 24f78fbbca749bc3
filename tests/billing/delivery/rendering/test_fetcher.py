import pytest

from billing.delivery.rendering.fetcher import NothingMayBeFetched


@pytest.mark.parametrize(
    "address",
    ["file:///etc/passwd", "http://127.0.0.1/", "https://example.org/", "ftp://example.org/", "data:text/plain,x", "x:y"],
)
def test_every_address_is_refused(address: str) -> None:
    with pytest.raises(PermissionError, match="fetches nothing"):
        NothingMayBeFetched()(address)
