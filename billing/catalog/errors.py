"""How the catalogue refuses."""

from django.utils.translation import gettext as _


class CatalogError(Exception):
    """
    A plan cannot be written, published or archived as asked.

    `member` names what is wrong, the message says what to do. `code` is stable, and there only where the state of things is
    the reason, and not what was asked for. The text of the error begins with the line of the file, where there is one.
    """

    def __init__(self, message: str, *, member: str = "", code: str = "", line: int | None = None) -> None:
        super().__init__(_("line %(line)d: %(message)s") % {"line": line, "message": message} if line else message)
        self.message = message
        self.member = member
        self.code = code
