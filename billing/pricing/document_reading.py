"""The `calculate` document as values: strict reading, every error naming its member (design of the JSON: docs/tariffs.md)."""

import json
import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction
from typing import Final

from billing.pricing.charge import Charge, read_charge
from billing.pricing.charge_models.flat import Flat
from billing.pricing.commitments import Commitment
from billing.pricing.discounts import Discount
from billing.pricing.members import BareNumber, InvalidMember, Members, read_number, shown
from billing.pricing.money import from_minor, round_to_minor
from squill.lib.currency import exponent

_RATIO: Final = re.compile(r"([0-9]{1,9})/([0-9]{1,9})")


class DocumentError(InvalidMember):
    """A document cannot be calculated; `path` and `message` say where and what to do."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DocumentLine:
    """A charge and what it prices: a quantity, or single events where `events` is not None."""

    id: str
    charge: Charge
    quantity: Decimal
    events: tuple[Decimal, ...] | None
    tax_rates: tuple[Decimal, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Document:
    """An invoice to calculate. Credits are in minor units, in the order in which they are used."""

    currency: str
    lines: tuple[DocumentLine, ...]
    commitments: tuple[Commitment, ...]
    discounts: tuple[Discount, ...]
    credit_notes: tuple[int, ...]
    prepaid_credits: tuple[int, ...]


def read_json(text: str) -> object:
    """
    Read JSON as documents are written.

    Numbers with a point or an exponent come out as BareNumber, which every member refuses by its path: here they are
    strings. Names that occur twice in one object are refused.

    :raises DocumentError: if the text is not such JSON
    """
    try:
        return json.loads(text, parse_float=BareNumber, parse_constant=BareNumber, object_pairs_hook=_object)
    except json.JSONDecodeError as error:
        message = f"is not JSON: {error.msg} at line {error.lineno}, column {error.colno}"
        raise DocumentError("", message) from None
    except RecursionError:
        raise DocumentError("", "is nested too deep") from None
    except DocumentError:
        raise
    except ValueError:
        raise DocumentError("", "has a number with thousands of digits") from None


def _object(pairs: list[tuple[str, object]]) -> dict[str, object]:
    members = dict(pairs)
    if len(members) != len(pairs):
        names = [name for name, _ in pairs]
        twice = next(name for name in names if names.count(name) > 1)
        raise DocumentError("", f"the member {twice[:60]!r} occurs twice in one object: keep one")
    return members


def read_document(value: object) -> Document:
    """
    Read a document.

    :raises DocumentError: naming the member and what to do
    """
    members = Members(value, path="", error=DocumentError)
    currency = _currency(members)
    if not members.has("lines"):
        raise members.fail("lines", "is missing: give a list of lines")
    lines = tuple(_line(item) for item in members.objects("lines"))
    line_ids = _unique_ids([line.id for line in lines], members, "lines", set())
    commitments = tuple(_commitment(item, currency, line_ids) for item in members.objects("commitments"))
    ids = _unique_ids([commitment.id for commitment in commitments], members, "commitments", line_ids)
    document = Document(
        currency=currency,
        lines=lines,
        commitments=commitments,
        discounts=tuple(_discount(item, currency, ids) for item in members.objects("discounts")),
        credit_notes=tuple(_credit(item, path, currency) for path, item in members.items("credit_notes")),
        prepaid_credits=tuple(_credit(item, path, currency) for path, item in members.items("prepaid_credits")),
    )
    members.close(known="a document")
    return document


def _currency(members: Members) -> str:
    currency = members.text("currency")
    try:
        exponent(currency)
    except ValueError as error:
        raise members.fail("currency", str(error)) from None
    return currency


def _unique_ids(ids: list[str], members: Members, name: str, known: Collection[str]) -> set[str]:
    seen = set(known)
    for index, item_id in enumerate(ids):
        if item_id in seen:
            raise members.fail(f"{name}[{index}].id", f"{shown(item_id)} occurs twice: every line and commitment needs its own")
        seen.add(item_id)
    return seen


def _line(item: Members) -> DocumentLine:
    line_id = item.text("id")
    if not item.has("charge"):
        raise item.fail("charge", "is missing: give the charge that prices the line")
    charge = read_charge(Members(item.take("charge"), path=item.path("charge"), error=DocumentError))
    quantity = item.optional_number("quantity")
    events = _events(item, charge, quantity)
    if quantity is None and events is None:
        if not isinstance(charge.model, Flat):
            wanted = "`events`" if charge.needs_events else "`quantity`"
            raise item.fail(wanted.strip("`"), f"is missing: this charge needs {wanted}")
        quantity = Decimal(1)  # A flat charge asks for no quantity; it is due once.
    rates = _rates(item)
    item.close(known="a line")
    return DocumentLine(id=line_id, charge=charge, quantity=quantity or Decimal(0), events=events, tax_rates=rates)


def _events(item: Members, charge: Charge, quantity: Decimal | None) -> tuple[Decimal, ...] | None:
    """Read the events of a line, None if it has a quantity; refuse what its charge cannot price."""
    given = item.has("events")
    amounts = tuple(read_number(value, path=path, error=DocumentError) for path, value in item.items("events"))
    if given and quantity is not None:
        raise item.fail("events", "cannot stand beside `quantity`: give one of them")
    if given and not charge.prices_events:
        raise item.fail("events", "cannot be priced one by one by this charge: give their sum as `quantity`")
    if quantity is not None and charge.needs_events:
        raise item.fail("quantity", "is not enough: this charge prices single events, give the amount of each in `events`")
    return amounts if given else None


def _rates(item: Members) -> tuple[Decimal, ...]:
    rates: list[Decimal] = []
    for path, value in item.items("taxes"):
        rate = read_number(value, path=path, error=DocumentError, at_most=Decimal(100))
        if rate in rates:
            raise DocumentError(path, f"the rate {rate} occurs twice on one line")
        rates.append(rate)
    return tuple(rates)


def _commitment(item: Members, currency: str, ids: Collection[str]) -> Commitment:
    commitment = Commitment(
        id=item.text("id"),
        amount_minor=_minor(item.take("amount"), item.path("amount"), currency),
        factor=_factor(item),
        applies_to=_applies_to(item, ids),
        tax_rates=_rates(item),
    )
    item.close(known="a commitment")
    return commitment


def _factor(item: Members) -> Fraction:
    value = item.take("factor")
    if value is None:
        return Fraction(1)
    ratio = _RATIO.fullmatch(value) if isinstance(value, str) else None
    if ratio is None:
        return Fraction(read_number(value, path=item.path("factor"), error=DocumentError, at_most=Decimal(1)))
    part, whole = int(ratio[1]), int(ratio[2])
    if whole == 0 or part > whole:
        raise item.fail("factor", f'must be from 0 to 1, such as "10/31", got {shown(value)}')
    return Fraction(part, whole)


def _discount(item: Members, currency: str, ids: Collection[str]) -> Discount:
    if item.has("amount") == item.has("percent"):
        raise item.fail("amount", "or percent: a discount takes exactly one of the two")
    percent = item.optional_number("percent", at_most=Decimal(100))
    amount = item.take("amount")
    discount = Discount(
        percent=percent,
        amount_minor=None if amount is None else _minor(amount, item.path("amount"), currency),
        applies_to=_applies_to(item, ids),
    )
    item.close(known="a discount")
    return discount


def _applies_to(item: Members, ids: Collection[str]) -> frozenset[str] | None:
    if not item.has("applies_to"):
        item.take("applies_to")
        return None
    named: set[str] = set()
    for path, value in item.items("applies_to"):
        if not isinstance(value, str) or value not in ids:
            raise DocumentError(path, f"must be the id of a line above, got {shown(value)}")
        named.add(value)
    if not named:
        raise item.fail("applies_to", "names no line: leave it out to mean every line")
    return frozenset(named)


def _credit(value: object, path: str, currency: str) -> int:
    """Read a credit: its amount, or an object with the amount and an id for the reader."""
    if not isinstance(value, Mapping):
        return _minor(value, path, currency)
    item = Members(value, path=path, error=DocumentError)
    item.take("id")
    amount = _minor(item.take("amount"), item.path("amount"), currency)
    item.close(known="a credit")
    return amount


def _minor(value: object, path: str, currency: str) -> int:
    """Read an amount of money that the currency can say."""
    if value is None:
        raise DocumentError(path, 'is missing: give an amount such as "25"')
    amount = read_number(value, path=path, error=DocumentError)
    places = exponent(currency)
    minor = round_to_minor(amount, exponent=places)
    if from_minor(minor, exponent=places) != amount:
        raise DocumentError(path, f"must have at most {places} decimals in {currency}, got {shown(value)}")
    return minor
