"""What a correction is refused with."""


class CorrectionError(Exception):
    """
    The correction cannot be made; nothing was written. The message is for a person, `code` for programs.

    not_found, quarantined, put_away, already_corrected, id_taken, unusable, bad_reason, bad_range, too_many, changed
    """

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code
