"""JSON without floats: the one way in which the data of events is read, written and hashed."""

from collections.abc import Sequence
from hashlib import blake2b
from typing import Any, Final

import msgspec

from usage.encoding import numbers

# The one spelling of a JSON value: members sorted, no spaces, exact numbers. Hashes and stored data are made of it.
_encoder: Final = msgspec.json.Encoder(decimal_format="number", order="sorted")
_decoder: Final = msgspec.json.Decoder(float_hook=numbers.from_json)


def decode(text: str | bytes) -> Any:
    """
    Read JSON with exact numbers: int, Decimal, or BadNumber where one is out of bounds. Doubled members go unseen.

    :raises msgspec.DecodeError: if it is not JSON
    :raises UnicodeDecodeError: if it is not UTF-8
    :raises RecursionError: if it is nested too deeply to be read at all
    """
    return _decoder.decode(text)


def encode(value: Any) -> bytes:
    """Write a JSON value canonically; Decimals become exact numbers."""
    return _encoder.encode(value)


def encode_text(values: Sequence[Any]) -> bytes:
    """Write JSON values canonically, each on a line: no text of JSON holds a line end."""
    return _encoder.encode_lines(values)


def encode_lines(values: Sequence[Any]) -> list[bytes]:
    """Write JSON values canonically, each by itself, by one call."""
    return _encoder.encode_lines(values).splitlines()


def digest(values: list[Any]) -> str:
    """Return the BLAKE2b-128 of a list of JSON values as 32 hex digits; different lists never share an encoding."""
    return blake2b(_encoder.encode(values), digest_size=16).hexdigest()
