"""A refusal that can be met at any door, because what it lacks is found only while something else is worked out."""


class Refused(Exception):
    """What is missing, for a person, with a stable code for programs. Doors say it; nothing was written."""

    def __init__(self, message: str, *, code: str) -> None:
        super().__init__(message)
        self.code = code
