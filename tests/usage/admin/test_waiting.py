import pytest
from django.test import Client
from django.urls import reverse

from tests.usage.builders import ACTOR, NOW, a_customer, a_meter, an_event
from usage.ingestion import ingest
from usage.models import QuarantinedEvent
from usage.services import discard_quarantined

pytestmark = pytest.mark.django_db


def test_cards_count_what_waits_for_each_reason_and_lead_to_it(finance: Client) -> None:
    a_customer()
    a_meter("bytes", aggregation="sum", value_path="bytes")
    ingest([an_event("stranger-1", subject="nobody"), an_event("stranger-2", subject="nobody")], now=NOW)
    ingest([an_event("unusable", {"bytes": "many"}), an_event("put-aside", subject="nobody")], now=NOW)
    put_aside = QuarantinedEvent.objects.get(event_id="put-aside")
    discard_quarantined(row_ids=[put_aside.pk], reason="a test run", actor=ACTOR, now=NOW)

    page = finance.get(reverse("admin:usage_quarantinedevent_changelist"))

    cards = page.context["reason_cards"]
    assert [(card["title"], card["shown"], card["link"]) for card in cards] == [
        ("Unknown subject", "2", "?reason=unknown_subject"),
        ("No meter for this type", "0", "?reason=unknown_type"),
        ("Unusable value", "1", "?reason=unusable_value"),
        ("Same id, other content", "0", "?reason=conflict"),
    ]
    assert 'href="?reason=unusable_value"' in page.content.decode()


def test_card_narrows_the_list_to_what_waits_and_leads_back_to_all(finance: Client) -> None:
    ingest([an_event("waits"), an_event("put-aside")], now=NOW)
    QuarantinedEvent.objects.filter(event_id="put-aside").update(status="discarded")

    page = finance.get(reverse("admin:usage_quarantinedevent_changelist"), {"reason": "unknown_subject"})

    assert [row.event_id for row in page.context["cl"].result_list] == ["waits"]
    current = [card for card in page.context["reason_cards"] if card["is_current"]]
    assert [(card["title"], card["link"]) for card in current] == [("Unknown subject", "?")]
