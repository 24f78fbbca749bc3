"""CloudEvents' own SDKs deliver in both modes."""

from decimal import Decimal

import pytest

from tests.clients.conftest import Talk
from tests.usage.builders import a_meter, rollups

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.mark.parametrize(
    ("script", "told"),
    [("cloudevents_sdk.py", [204, 204]), ("cloudevents_sdk.mjs", [["binary", ""], ["structured", ""]])],
)
def test_both_modes_are_counted(talk: Talk, script: str, told: object) -> None:
    a_meter("tokens", event_type="prompt", aggregation="sum", value_path="tokens")

    assert talk(script, "") == told

    # two events of 3 tokens
    assert [rollup[4:6] for rollup in rollups()] == [(2, Decimal(6))]
