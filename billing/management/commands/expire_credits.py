import json
from typing import Any

from django.core.management.base import BaseCommand, CommandParser
from django.utils.translation import ngettext

from billing.pricing.money import from_minor
from billing.reductions.expiring import Expired, expire_credits
from squill.lib import clock
from squill.lib.actor import system
from squill.lib.currency import exponent
from squill.lib.decimals import plain


class Command(BaseCommand):
    help = (
        "Write down what has expired of the customers' credits, so that their balances are money that can still be used. An "
        "expired credit pays no invoice, whether this has run or not. Running it again writes nothing more."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--json", action="store_true", help="report as JSON")

    def handle(self, **options: Any) -> None:
        expired = expire_credits(now=clock.now(), actor=system("expire_credits"))
        if options["json"]:
            self.stdout.write(json.dumps({"expired": [_members(one) for one in expired]}, ensure_ascii=False))
            return
        for one in expired:
            members = _members(one)
            self.stdout.write(f"{members['customer']} · {members['credit']} · {members['amount']} {members['currency']}")
        self.stdout.write(
            ngettext("%(count)d credit expired", "%(count)d credits expired", len(expired)) % {"count": len(expired)}
        )


def _members(one: Expired) -> dict[str, str]:
    currency = one.credit.currency
    return {
        "customer": one.credit.customer.external_id,
        "credit": one.credit.reference,
        "currency": currency,
        "amount": plain(from_minor(one.amount_minor, exponent=exponent(currency))),
    }
