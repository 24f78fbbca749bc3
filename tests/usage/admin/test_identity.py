import pytest
from django.http import Http404

from tests.usage.builders import NOW, a_customer, a_meter, an_event
from usage.admin.identity import event_or_404, event_ref, events_of, read_event_ref
from usage.ingestion import ingest


@pytest.mark.parametrize("identity", [("test", "1"), ("https://api.example/x?y=1&z", "a/b c+d~é€"), ("s" * 255, "i" * 255)])
def test_name_of_an_event_is_safe_in_an_address_and_reads_back(identity: tuple[str, str]) -> None:
    ref = event_ref(*identity)

    assert not set(ref) - set("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_")
    assert read_event_ref(ref) == identity


# The last three are ["a"], ["a", 1] and ["a", "\0"].
@pytest.mark.parametrize("ref", ["", "!", "é", "AA", "bnVsbA", "WyJhIl0", "WyJhIiwxXQ", "WyJhIiwiXHUwMDAwIl0"])
def test_what_was_not_written_by_the_desk_names_nothing(ref: str) -> None:
    assert read_event_ref(ref) is None


@pytest.mark.django_db
def test_events_are_found_once_each_in_the_order_of_their_names() -> None:
    a_customer()
    a_meter()
    ingest([an_event("1"), an_event("2"), an_event("waits", subject="nobody")], now=NOW)

    named = [event_ref("test", event_id) for event_id in ("2", "1", "2", "other", "waits")]

    assert [event.event_id for event in events_of([*named, "!"])] == ["2", "1"]
    with pytest.raises(Http404):
        event_or_404(named[3])
