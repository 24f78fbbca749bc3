"""I7: whatever lines, coupons, taxes and credits come together, the document adds up."""

from decimal import Decimal
from fractions import Fraction

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from billing.invoicing.totalling import DocumentTotals, TaxedLine, total_document
from billing.reductions.coupons import UsableCoupon
from billing.reductions.credits import UsableCredit
from billing.tax.values import Tax

PLANS = ["", "basic", "pro"]
CHARGES = ["fee", "calls", ":support:fee", ":minimum-commitment"]
# One category above zero, as there is on one document, and several at zero.
TAXES = [("S", "20"), ("S", "7.7"), ("S", "0"), ("E", "0"), ("AE", "0"), ("O", "0")]


def tax(category: str = "S", rate: str = "0") -> Tax:
    return Tax(rate=Decimal(rate), category=category, label="VAT")


def line(amount: int, *, plan: str = "basic", charge: str = "fee", taxed: Tax | None = None) -> TaxedLine:
    return TaxedLine(amount_minor=amount, tax=taxed or tax(), plan_code=plan, charge_code=charge)


def coupon(
    number: int = 1,
    *,
    percent: str | None = None,
    amount: int | None = None,
    plans: frozenset[str] = frozenset(),
    charges: frozenset[str] = frozenset(),
) -> UsableCoupon:
    rate = None if percent is None else Decimal(percent)
    return UsableCoupon(
        redemption_id=number,
        code=f"C{number}",
        label=f"Coupon {number}",
        percent=rate,
        amount_minor=amount,
        plan_codes=plans,
        charge_codes=charges,
        uses_left=None,
    )


lines = st.lists(
    st.builds(
        lambda amount, plan, charge, taxed: line(amount, plan=plan, charge=charge, taxed=tax(*taxed)),
        st.integers(-10_000, 100_000),
        st.sampled_from(PLANS),
        st.sampled_from(CHARGES),
        st.sampled_from(TAXES),
    ),
    min_size=1,
    max_size=8,
)
scopes = st.frozensets(st.sampled_from(["basic", "pro"])), st.frozensets(st.sampled_from(["fee", "calls", ":minimum-commitment"]))
percents = st.integers(1, 1_000_000).map(lambda parts: str(Decimal(parts).scaleb(-4)))
coupons = st.lists(
    st.builds(lambda percent, plans, charges: ("percent", percent, plans, charges), percents, *scopes)
    | st.builds(lambda amount, plans, charges: ("amount", amount, plans, charges), st.integers(1, 150_000), *scopes),
    max_size=4,
).map(
    lambda drawn: [
        coupon(number, plans=plans, charges=charges, **{kind: value})
        for number, (kind, value, plans, charges) in enumerate(drawn, start=1)
    ]
)
credits = st.lists(st.tuples(st.sampled_from(["credit_note", "promotional", "paid"]), st.integers(1, 80_000)), max_size=4).map(
    lambda drawn: [
        UsableCredit(credit_id=number, kind=kind, label=str(number), left_minor=left)
        # kept credit notes first, as they are read
        for number, (kind, left) in enumerate(sorted(drawn, key=lambda one: one[0] != "credit_note"), start=1)
    ]
)


@settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(lines=lines, coupons=coupons, credits=credits)
def test_every_document_adds_up(lines: list[TaxedLine], coupons: list[UsableCoupon], credits: list[UsableCredit]) -> None:
    document = total_document(currency="EUR", lines=lines, coupons=coupons, credits=credits)
    totals = document.totals
    assert totals.subtotal_minor == sum(one.amount_minor for one in lines)
    assert totals.discount_minor == sum(taken.amount_minor for taken in document.coupons)
    assert totals.discount_minor == sum(one.discount_minor for one in totals.lines)
    assert totals.tax_minor == sum(row.amount_minor for row in document.taxes)
    assert totals.total_minor == totals.subtotal_minor - totals.discount_minor + totals.tax_minor
    assert totals.due_minor == totals.total_minor - sum(taken.amount_minor for taken in document.credits)
    _check_discounts(document, lines)
    _check_taxes(document, lines)
    for taken in document.credits:
        assert 0 < taken.amount_minor <= taken.credit.left_minor
    assert totals.due_minor >= 0 or not document.credits
    if totals.due_minor > 0:  # then nothing is left of any credit
        assert sum(taken.amount_minor for taken in document.credits) == sum(credit.left_minor for credit in credits)


def _check_discounts(document: DocumentTotals, lines: list[TaxedLine]) -> None:
    for taken in document.coupons:
        reduced = [one for one in lines if taken.coupon.applies_to(plan_code=one.plan_code, charge_code=one.charge_code)]
        assert 0 < taken.amount_minor
        assert taken.amount_minor <= sum(max(one.amount_minor, 0) for one in reduced)
        if taken.coupon.amount_minor is not None:
            assert taken.amount_minor <= taken.coupon.amount_minor
    for one, net in zip(lines, document.totals.lines, strict=True):
        # No line changes its sign, and none is lifted.
        assert min(one.amount_minor, 0) <= net.net_minor <= max(one.amount_minor, 0)


def _check_taxes(document: DocumentTotals, lines: list[TaxedLine]) -> None:
    for row in document.taxes:
        nets = [
            net.net_minor
            for one, net in zip(lines, document.totals.lines, strict=True)
            if (one.tax.rate, one.tax.category) == (row.tax.rate, row.tax.category)
        ]
        assert row.base_minor == sum(nets)
        assert abs(row.base_minor * Fraction(row.tax.rate) / 100 - row.amount_minor) <= Fraction(1, 2)
    assert all(row.tax.category != "O" for row in document.taxes)


def test_shares_go_to_the_largest_remainders() -> None:
    document = total_document(currency="EUR", lines=[line(100), line(100), line(100)], coupons=[coupon(amount=100)])
    assert [one.discount_minor for one in document.totals.lines] == [34, 33, 33]


def test_a_coupon_of_an_amount_takes_no_more_than_there_is() -> None:
    document = total_document(
        currency="EUR", lines=[line(300), line(500, charge="calls")], coupons=[coupon(amount=1000, charges=frozenset({"fee"}))]
    )
    assert [(taken.coupon.code, taken.amount_minor) for taken in document.coupons] == [("C1", 300)]
    assert document.totals.net_minor == 500


def test_coupons_that_find_nothing_left_are_not_on_the_document() -> None:
    document = total_document(currency="EUR", lines=[line(300)], coupons=[coupon(1, percent="100"), coupon(2, amount=5)])
    assert [(taken.coupon.code, taken.amount_minor) for taken in document.coupons] == [("C1", 300)]


def test_a_credit_of_an_earlier_period_gives_its_share_of_the_discount_back() -> None:
    document = total_document(currency="EUR", lines=[line(1000), line(-200)], coupons=[coupon(percent="50")])
    assert [one.discount_minor for one in document.totals.lines] == [500, -100]
    assert document.totals.net_minor == 400


def test_tax_is_on_what_the_discount_leaves_of_each_rate() -> None:
    document = total_document(
        currency="EUR",
        lines=[line(1000, taxed=tax("S", "20")), line(500, taxed=tax("E", "0"))],
        coupons=[coupon(amount=300)],
        credits=[UsableCredit(credit_id=1, kind="paid", label="Prepaid", left_minor=250)],
    )
    # 300 off 1,500: 200 and 100. 800 at 20 % = 160.
    assert [(row.tax.category, row.base_minor, row.amount_minor) for row in document.taxes] == [("E", 400, 0), ("S", 800, 160)]
    assert (document.totals.total_minor, document.totals.due_minor) == (1360, 1110)
