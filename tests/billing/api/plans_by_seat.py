"""The catalogue of the tests about the life of a subscription: amounts that are easy to prorate by the days of February."""

from typing import Final

TEAM: Final = """
plans:
  - code: team
    name: Team
    currency: EUR
    charges:
      - {code: platform, name: Platform fee, model: flat, amount: "28", billed: in_advance}
      - {code: seats, name: Seats, model: per_unit, unit_amount: "28", default_quantity: "2"}
  - code: pro
    name: Pro
    currency: EUR
    charges:
      - {code: platform, name: Platform fee, model: flat, amount: "56", billed: in_advance}
      - {code: seats, name: Seats, model: per_unit, unit_amount: "56", default_quantity: "1"}
  - {code: taster, currency: EUR, trial_days: 14, charges: [{code: fee, model: flat, amount: "10"}]}
  - {code: yearly, currency: EUR, interval: yearly, charges: [{code: platform, model: flat, amount: "365"}]}
  - {code: dollars, currency: USD, charges: [{code: platform, model: flat, amount: "5"}]}
add_ons:
  - {code: support, name: Support, currency: EUR, interval: monthly, charges: [{code: support, model: flat, amount: "14"}]}
  - {code: advice, name: Advice, currency: EUR, interval: yearly, charges: [{code: advice, model: flat, amount: "99"}]}
  - {code: setup, name: Setup, currency: EUR, interval: once, charges: [{code: setup, model: flat, amount: "100"}]}
"""
