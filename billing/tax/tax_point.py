"""The day whose law holds for a line."""

from datetime import date


def tax_point(*, issued_on: date, last_day: date) -> date:
    """
    Return the day whose rate and registrations hold: the last day of what is billed, or the day of the invoice if that is first.

    Continuous supplies are completed at the end of each period that is billed (Article 64(1) of Directive 2006/112/EC), so usage
    of December is taxed by December's rate though its invoice is dated in January; what is billed in advance is taxed as it is
    invoiced (Articles 65, 66 and 93). ADR 0024.

    :param last_day: of the line's period, inclusive

    >>> tax_point(issued_on=date(2021, 1, 1), last_day=date(2020, 12, 31))
    datetime.date(2020, 12, 31)
    """
    return min(issued_on, last_day)
