"""The JSON of corrections."""

from typing import Any

from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from squill.lib.decimals import plain
from squill.web.serializers import PlainDecimalField, StrictCharField, StrictSerializer
from usage.api.serializers import CloudEventSerializer
from usage.corrections.bulk import Selected
from usage.corrections.previewing import Preview
from usage.models import Correction


class CorrectionTargetSerializer(StrictSerializer):
    """The event to correct, and why."""

    source = StrictCharField(max_length=255, trim_whitespace=False, help_text="As the event was sent.")  # type: ignore[assignment]
    id = StrictCharField(max_length=255, trim_whitespace=False, help_text="As the event was sent.")
    reason = StrictCharField(max_length=500, help_text="Kept with the correction for ever.")


@extend_schema_field(CloudEventSerializer)
class _EventField(serializers.Field[Any, Any, Any, Any]):
    """An event; read by usage.ingestion.checking."""

    def to_internal_value(self, data: Any) -> Any:
        """Return it as it is."""
        return data


class ReplaceSerializer(CorrectionTargetSerializer):
    """The event to replace, the one that counts in its place, and why."""

    event = _EventField()


class VoidManySerializer(StrictSerializer):
    """Which events to void. Either `dry_run` or `token`, and a source, a subject or both."""

    source = StrictCharField(max_length=255, trim_whitespace=False, required=False)  # type: ignore[assignment]
    subject = StrictCharField(max_length=255, trim_whitespace=False, required=False)
    to = serializers.DateTimeField(help_text="Events before this instant.")
    reason = StrictCharField(max_length=500, required=False, help_text="Needed to void; kept with every correction.")
    dry_run = serializers.BooleanField(required=False, help_text="Only say what would be voided.")
    token = StrictCharField(max_length=32, required=False, help_text="What the dry run has answered.")

    def get_fields(self) -> dict[str, Any]:
        """Return the members; one is named as a keyword of Python."""
        start = serializers.DateTimeField(help_text="Events at or after this instant.")
        return super().get_fields() | {"from": start}


class EventIdentitySerializer(serializers.Serializer[Any]):
    """Which event."""

    source = serializers.CharField()  # type: ignore[assignment]
    id = serializers.CharField()


class ChangeSerializer(serializers.Serializer[Any]):
    """What a correction changes in one meter, day and set of dimension values."""

    meter = serializers.CharField()
    unit = serializers.CharField()
    day = serializers.DateField(help_text="In the customer's time zone.")
    dimensions = serializers.DictField(child=serializers.CharField(allow_null=True))
    before = PlainDecimalField(max_digits=38, decimal_places=12, help_text="The quantity, by the meter's aggregation.")
    after = PlainDecimalField(max_digits=38, decimal_places=12)


class AdjustmentPreviewSerializer(serializers.Serializer[Any]):
    """What changes for a charge in a period that is billed already; amounts in major units of the currency."""

    subscription = serializers.CharField()
    charge = serializers.CharField()
    first_day = serializers.DateField(help_text="Of the billed period; included.")
    end_day = serializers.DateField(help_text="Not included.")
    currency = serializers.CharField()
    before = serializers.CharField(help_text="The adjustment that the next invoice would carry anyway.")
    after = serializers.CharField(help_text="The adjustment that it carries with the correction.")
    difference = serializers.CharField()


class CorrectionSerializer(serializers.Serializer[Any]):
    """What became of an event. `changes` and `adjustments` are there in a preview."""

    event = EventIdentitySerializer()
    fate = serializers.ChoiceField(choices=[("voided", "voided"), ("replaced", "replaced")])
    replacement = EventIdentitySerializer(allow_null=True)
    reason = serializers.CharField()
    actor = serializers.CharField(help_text="Who corrected it: an e-mail address or the public part of a key.")
    corrected_at = serializers.DateTimeField()
    changes = ChangeSerializer(many=True, required=False)
    adjustments = AdjustmentPreviewSerializer(many=True, required=False)


class MeterSumsSerializer(serializers.Serializer[Any]):
    """What a meter would lose."""

    meter = serializers.CharField()
    event_count = serializers.IntegerField()
    value_sum = PlainDecimalField(max_digits=38, decimal_places=12)


class BulkVoidSerializer(serializers.Serializer[Any]):
    """A dry run answers `event_count`, `meters` and `token`; a void `voided` and `left`."""

    event_count = serializers.IntegerField(required=False)
    meters = MeterSumsSerializer(many=True, required=False)
    token = serializers.CharField(required=False)
    voided = serializers.IntegerField(required=False, help_text="Events that this request has voided.")
    left = serializers.IntegerField(required=False, help_text="Events that the next request voids.")


class StoredEventSerializer(serializers.Serializer[Any]):
    """A stored event, and what became of it."""

    event = CloudEventSerializer()
    customer = serializers.CharField(help_text="The external id of the customer it counts for.")
    received_at = serializers.DateTimeField()
    fate = serializers.ChoiceField(choices=[(fate, fate) for fate in ("accepted", "voided", "replaced")])
    meters = serializers.ListField(
        child=serializers.CharField(),
        help_text="The codes of the meters that it counts for, or counted for until it was corrected.",
    )
    correction = CorrectionSerializer(allow_null=True, help_text="What took it out of every count; null where it counts.")


class StoredEventPageSerializer(serializers.Serializer[Any]):
    """A page of events, newest first."""

    items = StoredEventSerializer(many=True)
    nextCursor = serializers.CharField(
        allow_null=True, help_text="What to send as `cursor` for the next page; null on the last one."
    )


def shown_correction(correction: Correction) -> dict[str, Any]:
    """Return a correction as JSON values."""
    replacement = {"source": correction.replacement_source, "id": correction.replacement_id}
    return {
        "event": {"source": correction.source, "id": correction.event_id},
        "fate": "replaced" if correction.replacement_key else "voided",
        "replacement": replacement if correction.replacement_key else None,
        "reason": correction.reason,
        "actor": correction.actor_label,
        "corrected_at": correction.corrected_at,
    }


def shown_preview(preview: Preview) -> dict[str, Any]:
    """Return what a correction would change as JSON values."""
    return shown_correction(preview.correction) | {
        "changes": ChangeSerializer(preview.effects.changes, many=True).data,
        "adjustments": list(preview.effects.adjustments),
    }


def shown_selected(selected: Selected) -> dict[str, Any]:
    """Return what a bulk void would void as JSON values."""
    return {
        "event_count": selected.event_count,
        "meters": [
            {"meter": each.meter, "event_count": each.event_count, "value_sum": plain(each.value_sum)} for each in selected.meters
        ],
        "token": selected.token,
    }
