from datetime import date

from billing.tax.tax_point import tax_point


def test_usage_is_taxed_by_the_last_day_of_its_period() -> None:
    assert tax_point(issued_on=date(2021, 1, 1), last_day=date(2020, 12, 31)) == date(2020, 12, 31)


def test_what_is_billed_in_advance_is_taxed_as_it_is_invoiced() -> None:
    assert tax_point(issued_on=date(2020, 12, 1), last_day=date(2021, 11, 30)) == date(2020, 12, 1)
