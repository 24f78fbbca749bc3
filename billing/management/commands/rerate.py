import argparse
import csv
import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date
from typing import Any, Protocol

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from billing.catalog.plans import version_for
from billing.management.rerated import amount, amounts, as_members, in_words
from billing.models import Plan, PlanVersion
from billing.pricing.money import from_minor
from billing.rating.rerating import ReratedPeriod, UnableToRerate, rerate
from customers.models import Customer
from squill.lib.currency import exponent
from squill.lib.decimals import plain

_COLUMNS = (
    "customer",
    "subscription",
    "first_day",
    "end_day",
    "version",
    "other_version",
    "currency",
    "own",
    "other",
    "difference",
    "unpriced",
    "error",
)


def day(text: str) -> date:
    """Read an argument that is a day."""
    try:
        if len(text) != len("2026-03-01"):
            raise ValueError(text)
        return date.fromisoformat(text)
    except ValueError:
        raise argparse.ArgumentTypeError(_("%(text)s is not a day: write it as 2026-03-01") % {"text": text}) from None


class _Output(Protocol):
    def write(self, msg: str = "", style_func: Any = None, ending: str | None = None) -> None: ...


@dataclass(slots=True)
class Totals:
    """What all customers together would pay under a version. A customer pays more or less over all its periods."""

    version: PlanVersion
    more: int = 0
    less: int = 0
    same: int = 0
    failed: int = 0  # periods
    own_minor: int = 0
    other_minor: int = 0
    _customer: str | None = None  # whose periods are being added up
    _difference_minor: int = 0

    def added(self, periods: Iterable[ReratedPeriod]) -> Iterator[ReratedPeriod]:
        """Yield the periods, which come by customer, and add them up on their way."""
        for period in periods:
            if period.own_minor is None or period.other_minor is None:
                self.failed += 1
            else:
                if period.customer != self._customer:
                    self._count()
                    self._customer = period.customer
                self.own_minor += period.own_minor
                self.other_minor += period.other_minor
                self._difference_minor += period.other_minor - period.own_minor
            yield period
        self._count()

    def _count(self) -> None:
        if self._customer is not None:
            self.more += self._difference_minor > 0
            self.less += self._difference_minor < 0
            self.same += self._difference_minor == 0
        self._customer, self._difference_minor = None, 0


class Command(BaseCommand):
    help = (
        "Say what past periods would have cost under another version of their plan: who would have paid more, who less, and how "
        "much. Real usage, rated by the code that bills; amounts before discounts and tax. Changes nothing, bills nothing. "
        "A period counts if it lies within the days as a whole; what it costs now is by the usage now known, which may be more "
        "than its invoice says. Exit status 1 if a period cannot be rated; the others are told all the same."
    )

    def create_parser(self, prog_name: str, subcommand: str, **kwargs: Any) -> CommandParser:
        """Let --version be ours: Django's own tells the version of Django."""
        return super().create_parser(prog_name, subcommand, conflict_handler="resolve", **kwargs)

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        parser.add_argument("plan", help="the plan's code")
        parser.add_argument(
            "--version",
            type=int,
            metavar="N",
            help="the version to compare with, which may be a draft or one that is not sold any more; by default what is sold "
            "now, in each currency",
        )
        parser.add_argument(
            "--from", dest="first_day", type=day, required=True, metavar="DAY", help="first day, such as 2026-01-01"
        )
        parser.add_argument(
            "--to",
            dest="end_day",
            type=day,
            required=True,
            metavar="DAY",
            help="the day after the last: with 2026-02-01 the last one is 31 January",
        )
        parser.add_argument("--customer", metavar="ID", help="only this customer, by its external id")
        form = parser.add_mutually_exclusive_group()
        form.add_argument("--json", action="store_true", help="report as JSON")
        form.add_argument("--csv", action="store_true", help="a table for a spreadsheet, without the totals")

    def handle(self, *, plan: str, first_day: date, end_day: date, customer: str | None, **options: Any) -> None:
        found = Plan.objects.filter(code=plan).first()
        if found is None:
            raise CommandError(_("there is no plan %(plan)s") % {"plan": plan})
        whose = _customer(customer)
        tell = _tell_json if options["json"] else _tell_csv if options["csv"] else _tell_words
        compared = []
        for version in _versions(found, options["version"], whose):
            totals = Totals(version)
            try:
                periods = rerate(
                    version_id=version.pk,
                    first_day=first_day,
                    end_day=end_day,
                    customer_id=whose.pk if whose else None,
                )
            except UnableToRerate as error:
                raise CommandError(error.message) from None
            compared.append((totals, totals.added(periods)))
        failed = tell(self.stdout, iter(compared))
        if failed:
            raise CommandError(
                ngettext("%(count)d period cannot be rated", "%(count)d periods cannot be rated", failed) % {"count": failed}
            )


def _customer(external_id: str | None) -> Customer | None:
    if external_id is None:
        return None
    customer = Customer.objects.filter(external_id=external_id).first()
    if customer is None:
        raise CommandError(_("there is no customer %(id)s") % {"id": external_id})
    return customer


def _versions(plan: Plan, number: int | None, customer: Customer | None) -> list[PlanVersion]:
    """Return the version that is named, or those that are sold now: to the customer, or to the public in each currency."""
    versions = PlanVersion.objects.filter(plan=plan).order_by("currency", "version")
    if number is not None:
        found = list(versions.filter(version=number))
        known = ", ".join(map(str, versions.order_by("version").values_list("version", flat=True)))
        if not found:
            message = _("plan %(plan)s has no version %(version)d; it has: %(known)s")
            raise CommandError(message % {"plan": plan.code, "version": number, "known": known or _("none")})
        return found
    if customer is not None:
        sold = version_for(plan, customer)
        found = [] if sold is None else [sold]
    else:
        found = list(versions.filter(status=PlanVersion.Status.PUBLISHED, customer=None))
    if not found:
        raise CommandError(_("no version of plan %(plan)s is sold: name one with --version") % {"plan": plan.code})
    return found


type _Compared = Iterator[tuple[Totals, Iterator[ReratedPeriod]]]


def _tell_words(out: _Output, compared: _Compared) -> int:
    """Write a line a period and the totals of each version; return how many periods failed."""
    failed = 0
    for totals, periods in compared:
        for period in periods:
            out.write(f"{period.customer} · {period.subscription} · {in_words(period)}")
        out.write(_totals_in_words(totals))
        failed += totals.failed
    return failed


def _totals_in_words(totals: Totals) -> str:
    version = totals.version
    words = _(
        "version %(version)d in %(currency)s: %(amounts)s; customers that pay more: %(more)d, less: %(less)d, the same: %(same)d"
    )
    return words % {
        "version": version.version,
        "currency": version.currency,
        "more": totals.more,
        "less": totals.less,
        "same": totals.same,
        "amounts": amounts(totals.own_minor, totals.other_minor, version.currency),
    }


def _tell_csv(out: _Output, compared: _Compared) -> int:
    """Write a row a period, with a heading; return how many failed."""
    failed = 0
    table = csv.writer(_Lines(out), lineterminator="\n")
    table.writerow(_COLUMNS)
    for totals, periods in compared:
        for period in periods:
            pay = (period.own_minor, period.other_minor, period.difference_minor)
            table.writerow(
                (
                    period.customer,
                    period.subscription,
                    period.first_day,
                    period.end_day,
                    period.version,
                    totals.version.version,
                    period.currency,
                    *("" if minor is None else amount(minor, period.currency) for minor in pay),
                    "; ".join(f"{usage.meter} {plain(usage.quantity)}" for usage in period.unpriced),
                    period.error,
                )
            )
        failed += totals.failed
    return failed


class _Lines:
    """The file that csv asks for: every row goes out as it is, at once."""

    def __init__(self, out: _Output) -> None:
        self._out = out

    def write(self, text: str) -> None:
        self._out.write(text, ending="")


def _tell_json(out: _Output, compared: _Compared) -> int:
    """Write one document, a line a period, without holding it; return how many failed."""
    failed = 0
    told: list[dict[str, Any]] = []
    separator = '{"periods": [\n'
    for totals, periods in compared:
        for period in periods:
            members = as_members(period) | {"other_version": totals.version.version}
            out.write(separator + json.dumps(members, ensure_ascii=False), ending="")
            separator = ",\n"
        told.append(_totals_as_members(totals))
        failed += totals.failed
    out.write(("" if separator == ",\n" else separator) + f'\n], "totals": {json.dumps(told)}}}')
    return failed


def _totals_as_members(totals: Totals) -> dict[str, Any]:
    currency = totals.version.currency
    pay = {"own": totals.own_minor, "other": totals.other_minor, "difference": totals.other_minor - totals.own_minor}
    return {
        "version": totals.version.version,
        "currency": currency,
        "customers": {"more": totals.more, "less": totals.less, "same": totals.same},
        "periods_failed": totals.failed,
        **{name: plain(from_minor(minor, exponent=exponent(currency))) for name, minor in pay.items()},
    }
