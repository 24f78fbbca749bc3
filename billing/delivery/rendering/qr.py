"""The code that a banking app scans to fill in a SEPA credit transfer (EPC069-12)."""

import re
import zlib
from collections.abc import Sequence
from decimal import Decimal
from typing import Final

from segno import helpers

from billing.delivery.rendering.pictures import Picture

# What the standard has room for.
_MOST_MINOR: Final = 99_999_999_999
_NAME_CHARACTERS: Final = 70
_TEXT_CHARACTERS: Final = 140
# Of 331 in all.
_NAME_BYTES: Final = 150
_TEXT_BYTES: Final = 100
# To the side of a square: enough for viewers that blur pictures.
_PIXELS: Final = 4


def transfer_code(*, name: str, iban: str, bic: str, amount_minor: int, text: str) -> Picture | None:
    """
    Draw the code, or return None where the standard cannot say it. A path of as many squares would cost four times as much.

    :param amount_minor: euro cents
    :param text: what the payment is for, such as the number of an invoice
    """
    account = re.sub(r"\s", "", iban).upper()
    if not is_iban(account) or not name or not 0 < amount_minor <= _MOST_MINOR:
        return None
    code = helpers.make_epc_qr(
        name=_cut(name, _NAME_CHARACTERS, _NAME_BYTES),
        iban=account,
        amount=Decimal(amount_minor).scaleb(-2),
        text=_cut(text, _TEXT_CHARACTERS, _TEXT_BYTES),
        bic=bic if re.fullmatch(r"[A-Z0-9]{8}([A-Z0-9]{3})?", bic) else None,
        encoding="utf-8",
    )
    return Picture(media_type="image/png", content=_png([bytes(row) for row in code.matrix]))


def is_iban(account: str) -> bool:
    """
    Say whether this is an account number whose check digits are right (ISO 13616).

    >>> is_iban("IE29AIBK93115212345678"), is_iban("IE29AIBK93115212345679"), is_iban("")
    (True, False, False)
    """
    if not re.fullmatch(r"[A-Z]{2}[0-9]{2}[A-Z0-9]{11,30}", account):
        return False
    turned = account[4:] + account[:4]
    return int("".join(str(int(sign, 36)) for sign in turned)) % 97 == 1


def _cut(text: str, characters: int, size: int) -> str:
    return text[:characters].encode()[:size].decode(errors="ignore")


def _png(rows: Sequence[bytes]) -> bytes:
    """Write the squares (1 is dark) as a grey PNG: a PDF takes it as it is, where segno's own would be converted."""
    dark, light = b"\x00" * _PIXELS, b"\xff" * _PIXELS
    lines = (b"\x00" + b"".join(dark if square else light for square in row) for row in rows)
    side = (len(rows) * _PIXELS).to_bytes(4)
    header = side + side + b"\x08\x00\x00\x00\x00"  # eight bits of grey, not interlaced
    data = zlib.compress(b"".join(line * _PIXELS for line in lines))
    return b"\x89PNG\r\n\x1a\n" + _chunk(b"IHDR", header) + _chunk(b"IDAT", data) + _chunk(b"IEND", b"")


def _chunk(kind: bytes, data: bytes) -> bytes:
    return len(data).to_bytes(4) + kind + data + zlib.crc32(kind + data).to_bytes(4)
