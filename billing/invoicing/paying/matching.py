"""The invoices that the text of a bank transfer names."""

import re
from collections.abc import Iterable
from typing import Final

from billing.invoicing.paying.payments import PAYABLE
from billing.models import Invoice
from customers.models import Customer

# A transfer's text has 140 characters; anything much longer is none.
MAX_TEXT: Final = 1000


def invoices_named_in(text: str, customer: Customer) -> list[str]:
    """
    Return the numbers of the customer's invoices that the text names and that can be paid, in the order of the text. One query.

    Case does not matter, and spaces or line breaks within a number do not, since banks break lines where they like; but a number
    is only found as a whole, never within a longer one. Beyond MAX_TEXT characters nothing is looked at.
    """
    final = Invoice.objects.filter(customer=customer, number__isnull=False)
    status_of = {number: status for number, status in final.values_list("number", "status") if number}
    return [number for number in numbers_in(text, status_of) if status_of[number] in PAYABLE]


def numbers_in(text: str, numbers: Iterable[str]) -> list[str]:
    """
    Return those of the numbers that the text names, in its order; each once. Pure.

    First what is written without gaps, then with gaps in what is left of the text; of two numbers the longer one.
    """
    text = text[:MAX_TEXT]
    longest_first = sorted(numbers, key=lambda number: (-len(number), number))
    found: list[tuple[int, str]] = []
    text_closed_up = _closed_up(text).lower()
    named = [number for number in longest_first if _closed_up(number).lower() in text_closed_up]
    for gap in ("", r"\s*"):
        for number in named:
            written = (re.escape(each) for each in (_closed_up(number) if gap else number))
            pattern = re.compile(rf"(?<!\w){gap.join(written)}(?!\w)", re.IGNORECASE)
            for match in pattern.finditer(text):
                found.append((match.start(), number))
                # What is taken is blanked, so that no shorter number is found within it.
                text = f"{text[: match.start()]}{'_' * len(match[0])}{text[match.end() :]}"
    return list(dict.fromkeys(number for _start, number in sorted(found)))


def _closed_up(text: str) -> str:
    return "".join(text.split())
