from datetime import date

from billing.delivery.rendering.totals import final_row, left_to_pay_minor, totals
from billing.invoicing.snapshot import CreditUsed, Discount, InvoiceSnapshot, ReceivedPayment
from tests.billing.delivery.rendering.snapshots import credit_note, receipt, snapshot


def printed(value: InvoiceSnapshot) -> list[tuple[str, str]]:
    last = final_row(value, estimate=False)
    return [(row.label, row.value) for row in (*totals(value), last)]


def test_discounts_credits_and_payments_are_each_named() -> None:
    # 1924.62 - 20.00 - 50.00 - 50.00 = 1804.62; - 300.00 = 1504.62
    value = snapshot(
        discounts=(Discount(label="Launch", percent=None, amount_minor=10_000), Discount(label="Goodwill", amount_minor=7_386)),
        credits=(
            CreditUsed(kind="credit_note", label="NL-CN-2026-000030", amount_minor=2_000),
            CreditUsed(kind="promotional", label="Welcome", amount_minor=5_000),
            CreditUsed(kind="paid", label="Prepayment", amount_minor=5_000),
        ),
        payments=(ReceivedPayment(reference="R1", method="card", received_on=date(2026, 10, 20), amount_minor=30_000),),
        paid_minor=30_000,
    )

    assert printed(value) == [
        ("Subtotal", "€1,738.59"),
        ("Launch", "−€100.00"),
        ("Goodwill", "−€73.86"),
        ("Total excluding VAT", "€1,564.73"),
        ("VAT 23%", "€359.89"),
        ("Total", "€1,924.62"),
        ("Credit note NL-CN-2026-000030", "−€20.00"),
        ("Promotional credit: Welcome", "−€50.00"),
        ("Prepaid credit: Prepayment", "−€50.00"),
        ("Paid on 20 October 2026", "−€300.00"),
        ("Amount due", "€1,504.62"),
    ]
    assert left_to_pay_minor(value) == 150_462
    assert next(row.small for row in totals(value) if row.kind == "paid") == "Card · R1"


def test_amounts_that_nothing_names_are_still_shown_so_that_the_rows_add_up() -> None:
    rows = dict(printed(snapshot(discounts=(), credits=(), payments=(), paid_minor=462)))

    assert rows["Discount"] == "−€173.86"
    assert rows["Credits applied"] == "−€120.00"
    assert rows["Paid already"] == "−€4.62"
    assert rows["Amount due"] == "€1,800.00"


def test_a_credit_note_ends_with_what_is_credited() -> None:
    assert printed(credit_note()) == [
        ("Subtotal", "€60.00"),
        ("Launch partner discount, 10%", "−€6.00"),
        ("Total excluding VAT", "€54.00"),
        ("VAT 23%", "€12.42"),
        ("Total credited", "€66.42"),
    ]


def test_a_receipt_says_what_was_paid_and_what_is_left_over() -> None:
    assert printed(receipt()) == [
        ("Paid on invoices", "€1,954.62"),
        ("Kept for your next invoices", "€45.38"),
        ("Amount received", "€2,000.00"),
    ]
    assert printed(receipt(related=())) == [("Kept for your next invoices", "€2,000.00"), ("Amount received", "€2,000.00")]
