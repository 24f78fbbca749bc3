"""What a document's maker and its worker say to each other: frames of a length and as many bytes. Needs no Django."""

from typing import BinaryIO, Final

import msgspec

from billing.delivery.rendering.pictures import Picture

_LENGTH_BYTES: Final = 8


class Page(msgspec.Struct, frozen=True, kw_only=True):
    """A document to be laid out: HTML, its whole stylesheet, and the pictures that the HTML may name by their address."""

    html: str
    styles: str
    pictures: tuple[Picture, ...] = ()


class Answer(msgspec.Struct, frozen=True, kw_only=True):
    """The document's bytes, or what went wrong."""

    content: bytes = b""
    error: str = ""


def write_frame(stream: BinaryIO, message: Page | Answer) -> None:
    """
    Write the message and send it off.

    :raises BrokenPipeError: if nobody reads any more
    """
    body = msgspec.msgpack.encode(message)
    stream.write(len(body).to_bytes(_LENGTH_BYTES))
    stream.write(body)
    stream.flush()


def read_frame[Message: (Page, Answer)](stream: BinaryIO, kind: type[Message]) -> Message | None:
    """Wait for a message and return it; None where the stream has ended, be it in the middle of one."""
    length = int.from_bytes(head) if len(head := stream.read(_LENGTH_BYTES)) == _LENGTH_BYTES else 0
    body = stream.read(length)
    return msgspec.msgpack.decode(body, type=kind) if length and len(body) == length else None
