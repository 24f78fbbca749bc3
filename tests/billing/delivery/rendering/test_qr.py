import zlib
from typing import Any

import pytest
import segno

from billing.delivery.rendering.qr import transfer_code

TRANSFER: dict[str, Any] = {
    "name": "Northlight Systems Ltd",
    "iban": "IE29 AIBK 9311 5212 3456 78",
    "bic": "AIBKIE2D",
    "amount_minor": 180_462,
    "text": "NL-2026-000417",
}


def test_the_code_says_what_the_standard_asks_for(monkeypatch: pytest.MonkeyPatch) -> None:
    # EPC069-12: service tag, version, character set (1 = UTF-8), SCT, BIC, name, IBAN, amount, purpose, reference, text.
    said: list[bytes] = []

    def remembered(content: bytes, **rest: Any) -> Any:
        said.append(content)
        return segno.make(content, micro=False, **rest)

    monkeypatch.setattr("segno.make_qr", remembered)

    assert transfer_code(**TRANSFER) is not None
    assert said[0].decode().split("\n") == [
        "BCD",
        "002",
        "1",
        "SCT",
        "AIBKIE2D",
        "Northlight Systems Ltd",
        "IE29AIBK93115212345678",
        "EUR1804.62",
        "",
        "",
        "NL-2026-000417",
    ]


def test_the_code_is_a_picture_of_squares() -> None:
    picture = transfer_code(**TRANSFER)

    assert picture is not None
    assert (picture.media_type, picture.content[:8]) == ("image/png", b"\x89PNG\r\n\x1a\n")
    side = int.from_bytes(picture.content[16:20])
    assert side == int.from_bytes(picture.content[20:24])
    assert (side % 4, side < 400) == (0, True)
    start = picture.content.index(b"IDAT") + 4
    assert zlib.decompressobj().decompress(picture.content[start:])


@pytest.mark.parametrize(
    "facts",
    [
        {"iban": "IE29 AIBK 9311 5212 3456 79"},  # check digits
        {"iban": ""},
        {"name": ""},
        {"amount_minor": 0},
        {"amount_minor": -5},
        {"amount_minor": 100_000_000_000},  # a billion euros and more have no room
    ],
)
def test_what_the_standard_cannot_say_has_no_code(facts: dict[str, Any]) -> None:
    assert transfer_code(**(TRANSFER | facts)) is None


def test_long_and_foreign_names_fit() -> None:
    assert transfer_code(**(TRANSFER | {"name": "株式会社" * 17, "text": "é" * 300, "bic": "nonsense"})) is not None
