import json
from typing import Any

from billing.pricing.document import calculate

API: dict[str, Any] = {
    "id": "api",
    "charge": {"model": "graduated", "tiers": [{"up_to": "1000", "unit_amount": "0"}, {"up_to": None, "unit_amount": "0.01"}]},
    "quantity": "1500",
    "taxes": ["20"],
}


def test_the_example_of_the_design() -> None:
    assert calculate({"currency": "USD", "lines": [API]}) == {
        "lines": [
            {
                "id": "api",
                "quantity": "1500",
                "exact_amount": "5",
                "amount": "5",
                "breakdown": [
                    {"step": "tier", "above": "0", "up_to": "1000", "quantity": "1000", "unit_amount": "0", "amount": "0"},
                    {"step": "tier", "above": "1000", "up_to": None, "quantity": "500", "unit_amount": "0.01", "amount": "5"},
                ],
            }
        ],
        "true_ups": [],
        "subtotal": "5",
        "discount": "0",
        "net": "5",
        "tax": [{"rate": "20", "base": "5", "amount": "1"}],
        "total": "6",
        "credit_notes_used": "0",
        "prepaid_credits_used": "0",
        "due": "6",
    }


def test_a_whole_invoice() -> None:
    answer = calculate(
        {
            "currency": "EUR",
            "lines": [
                API,
                {"id": "fee", "charge": {"model": "flat", "amount": "49.90"}, "taxes": ["20"]},
                {
                    "id": "cards",
                    "charge": {"model": "percentage", "rate": "2.9", "fixed_amount": "0.30"},
                    "events": ["100", "50.50"],
                },
            ],
            "commitments": [{"id": "minimum", "amount": "200", "factor": "10/31", "applies_to": ["api", "fee"], "taxes": ["20"]}],
            "discounts": [{"percent": "10", "applies_to": ["minimum"]}, {"amount": "1"}],
            "credit_notes": ["2.5", {"id": "CN-1", "amount": "0.5"}],
            "prepaid_credits": ["1000"],
        }
    )
    # 5 + 49.90 + 4.9645 (rounded 4.96); 200 x 10/31 = 64.516 → 64.52 - 54.90 = 9.62 of true-up
    lines = answer["lines"]
    assert isinstance(lines, list)
    assert [(line["exact_amount"], line["amount"]) for line in lines] == [("5", "5"), ("49.9", "49.9"), ("4.9645", "4.96")]
    assert lines[1]["quantity"] == "1"
    assert answer["true_ups"] == [{"id": "minimum", "amount": "9.62"}]
    assert answer["subtotal"] == "69.48"
    # 10 % of 9.62 = 0.96, then 1 on 5, 49.90, 4.96, 8.66 = 68.52: 0.07, 0.73, 0.07, 0.13
    assert (answer["discount"], answer["net"]) == ("1.96", "67.52")
    # 20 % on 4.93 + 49.17 + 8.53 = 62.63
    assert answer["tax"] == [{"rate": "20", "base": "62.63", "amount": "12.53"}]
    assert (answer["total"], answer["credit_notes_used"]) == ("80.05", "3")
    assert (answer["prepaid_credits_used"], answer["due"]) == ("77.05", "0")


def test_amounts_have_the_decimals_of_the_currency() -> None:
    def due(currency: str) -> object:
        lines = [{"id": "a", "charge": {"model": "per_unit", "unit_amount": "0.12345"}, "quantity": "10"}]
        return calculate({"currency": currency, "lines": lines})["due"]

    # 1.2345
    assert [due(currency) for currency in ("JPY", "EUR", "KWD")] == ["1", "1.23", "1.235"]


def test_the_amount_is_rounded_from_the_exact_price_not_from_what_is_shown() -> None:
    # 0.02 / 3 is two thirds of a cent: shown with 12 decimals, billed as a cent
    lines = [{"id": "a", "charge": {"model": "per_unit", "unit_amount": "0.02", "divide_by": "3"}, "quantity": "1"}]
    answered = calculate({"currency": "EUR", "lines": lines})["lines"]
    assert isinstance(answered, list)
    assert (answered[0]["exact_amount"], answered[0]["amount"]) == ("0.006666666667", "0.01")


def test_a_document_without_lines_is_an_invoice_of_nothing() -> None:
    answer = calculate({"currency": "EUR", "lines": [], "discounts": [{"amount": "5"}], "credit_notes": ["5"]})
    assert (answer["subtotal"], answer["discount"], answer["credit_notes_used"], answer["due"]) == ("0", "0", "0", "0")


def test_the_answer_is_json() -> None:
    answer = calculate({"currency": "USD", "lines": [API]})
    assert json.loads(json.dumps(answer)) == answer


def test_no_events_are_numbers_too() -> None:
    marketplace = {"model": "graduated_percentage", "tiers": [{"up_to": "10", "rate": "5", "flat_amount": "2"}, {"rate": "1"}]}
    charges = [
        {"model": "percentage", "rate": "5", "divide_by": "100"},
        {**marketplace, "divide_by": "100"},
        {**marketplace, "charge_when_unused": False},
    ]
    lines = [{"id": str(index), "charge": charge, "events": []} for index, charge in enumerate(charges)]
    answered = calculate({"currency": "EUR", "lines": lines})["lines"]
    assert isinstance(answered, list)
    assert [(line["quantity"], line["amount"]) for line in answered] == [("0", "0"), ("0", "2"), ("0", "0")]
    assert [line["breakdown"][0] for line in answered] == [
        {"step": "unit_conversion", "quantity": "0", "amount": "0"},
        {"step": "unit_conversion", "quantity": "0", "amount": "0"},
        {"step": "unused", "amount": "0"},
    ]
