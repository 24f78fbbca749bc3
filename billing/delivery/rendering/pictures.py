"""Pictures that a document brings along: named by their content, so that nothing else can be meant. Needs no Django."""

import hashlib

import msgspec


class Picture(msgspec.Struct, frozen=True, kw_only=True):
    """A picture in memory."""

    media_type: str
    content: bytes

    @property
    def address(self) -> str:
        """Return the only address that a document may fetch it by."""
        return f"picture:{hashlib.sha256(self.content).hexdigest()}"


class PrintedLogo(msgspec.Struct, frozen=True, kw_only=True):
    """The seller's logo as it stands on a document."""

    picture: Picture
    wide: bool  # it holds the name already
