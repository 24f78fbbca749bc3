from decimal import Decimal
from typing import Any

import pytest

from customers.services.rules import CustomerError, checked, checked_keys


@pytest.mark.parametrize(
    ("field", "given", "kept"),
    [
        ("name", "  Acme  ", "Acme"),
        ("external_id", "team/42 ü", "team/42 ü"),
        ("external_id", "x" * 255, "x" * 255),
        ("email", "", ""),
        ("email", " billing@example.com ", "billing@example.com"),
        ("country", "de", "DE"),
        ("country", "XK", "XK"),
        ("currency", "usd", "USD"),
        ("timezone", "America/Argentina/Buenos_Aires", "America/Argentina/Buenos_Aires"),
        ("locale", "pt_BR", "pt-BR"),
        ("tax_rate_pct", "19", Decimal(19)),
        ("tax_rate_pct", 0, Decimal(0)),
        ("tax_rate_pct", None, None),
        ("tax_rate_pct", "", None),
        ("tax_rate_pct", Decimal("100.0000"), Decimal(100)),
        ("payment_terms_days", 0, 0),
        ("payment_terms_days", 365, 365),
    ],
)
def test_a_good_value_is_kept_in_its_usual_form(field: str, given: Any, kept: Any) -> None:
    assert checked({field: given}) == {field: kept}


@pytest.mark.parametrize(
    ("field", "given", "message"),
    [
        ("name", " ", "Write at least one character."),
        ("name", None, "Write a text."),
        ("name", "x" * 256, "Write at most 255 characters."),
        ("city", "Bonn\nBerlin", "Use printable characters only, on one line."),
        ("external_id", "", "Write at least one character."),
        ("external_id", 42, "Write at least one character."),
        ("external_id", "x" * 256, "Write at most 255 characters."),
        ("external_id", "a\0b", "Use printable characters only, with no space at the beginning or end."),
        ("external_id", " a", "Use printable characters only, with no space at the beginning or end."),
        ("email", "billing@", "Write an e-mail address such as billing@example.com."),
        ("country", "EU", "Write the two letters of ISO 3166, such as DE or US."),
        ("country", "ZZ", "Write the two letters of ISO 3166, such as DE or US."),
        ("currency", "", "Write an ISO 4217 code such as EUR or USD."),
        ("timezone", "../../etc/passwd", "Write a zone of the IANA database, such as Europe/Berlin or UTC."),
        ("timezone", "localtime", "Write a zone of the IANA database, such as Europe/Berlin or UTC."),
        ("locale", "xx-YY", "Write a language tag such as en, de or pt-BR."),
        ("locale", "", "Write a language tag such as en, de or pt-BR."),
        ("tax_rate_pct", "100.0001", "Write a percentage from 0 to 100."),
        ("tax_rate_pct", "-1", "Write a percentage from 0 to 100."),
        ("tax_rate_pct", "NaN", "Write a percentage from 0 to 100."),
        ("tax_rate_pct", "7.12345", "Write at most 4 decimals."),
        ("tax_rate_pct", "1e-99999", "Write at most 4 decimals."),
        ("tax_rate_pct", "a lot", "Write a percentage as a decimal number, such as 19 or 7.7."),
        ("tax_rate_pct", True, "Write a percentage as a decimal number, such as 19 or 7.7."),
        ("payment_terms_days", 366, "Write a whole number of days from 0 to 365."),
        ("payment_terms_days", -1, "Write a whole number of days from 0 to 365."),
        ("payment_terms_days", True, "Write a whole number of days from 0 to 365."),
        ("payment_terms_days", "30", "Write a whole number of days from 0 to 365."),
    ],
)
def test_a_bad_value_is_refused_with_what_to_write(field: str, given: Any, message: str) -> None:
    with pytest.raises(CustomerError) as refusal:
        checked({field: given})
    assert refusal.value.errors == {field: message}


def test_keys_keep_their_order_and_come_once() -> None:
    assert checked_keys(["b", "a", "b"]) == ["b", "a"]


@pytest.mark.parametrize("given", ["text", 42, None])
def test_keys_that_are_no_list_are_refused(given: Any) -> None:
    with pytest.raises(CustomerError, match=r"^subject_keys: Write a list of texts\.$"):
        checked_keys(given)


def test_a_bad_key_is_named() -> None:
    with pytest.raises(CustomerError, match=r"^subject_keys: 'a\\tb': Use printable characters only"):
        checked_keys(["good", "a\tb"])


def test_more_than_a_thousand_keys_are_refused() -> None:
    assert len(checked_keys([str(number) for number in range(1000)])) == 1000
    with pytest.raises(CustomerError, match="at most 1000 keys"):
        checked_keys([str(number) for number in range(1001)])
