"""What the tax engine refuses to guess."""

from squill.lib.refusal import Refused


class TaxUnknown(Refused):
    """The tax of a line cannot be told: a rate or a fact is missing. The message says what to enter where."""
