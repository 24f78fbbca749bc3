"""How changes of coupons and credits refuse."""

from squill.lib.refusal import Refused


class ReductionError(Refused):
    """
    A coupon or a credit cannot be made or changed as asked; nothing was written.

    `field` names the member, `code` is stable for programs, the message says what to do.
    """

    def __init__(self, message: str, *, field: str, code: str) -> None:
        super().__init__(message, code=code)
        self.message = message
        self.field = field
