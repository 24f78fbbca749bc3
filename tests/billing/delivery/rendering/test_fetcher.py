import pytest

from billing.delivery.rendering.fetcher import OnlyWhatCameAlong
from billing.delivery.rendering.pictures import Picture

PICTURE = Picture(media_type="image/png", content=b"a picture")


@pytest.mark.parametrize(
    "address",
    [
        "file:///etc/passwd",
        "http://127.0.0.1/",
        "https://example.org/",
        "ftp://example.org/",
        "data:text/plain,x",
        "x:y",
        "picture:",
    ],
)
def test_every_address_but_a_pictures_own_is_refused(address: str) -> None:
    fetcher = OnlyWhatCameAlong()
    fetcher.bring([PICTURE])
    with pytest.raises(PermissionError, match="fetches nothing"):
        fetcher(address)


def test_a_picture_is_answered_from_memory_until_the_next_document() -> None:
    fetcher = OnlyWhatCameAlong()
    fetcher.bring([PICTURE])
    answer = fetcher(PICTURE.address)
    assert (answer.read(), answer.content_type) == (b"a picture", "image/png")

    fetcher.bring([])
    with pytest.raises(PermissionError):
        fetcher(PICTURE.address)
