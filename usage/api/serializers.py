"""The JSON of meters and of what the usage endpoints answer. Events themselves are read by usage.ingestion.decoding."""

from typing import Any

from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from squill.web.serializers import PlainDecimalField, StrictCharField, StrictSerializer
from usage.ingestion import Outcome
from usage.models import Meter, QuarantinedEvent
from usage.querying import WindowSize


class MeterSerializer(StrictSerializer):
    """What is counted, and how. Shapes only: what the values may be is decided in usage.services."""

    code = StrictCharField(max_length=64, help_text="How plans and queries name the meter.")
    name = StrictCharField(max_length=255)
    event_type = StrictCharField(max_length=255, trim_whitespace=False, help_text="The `type` of the events that are counted.")
    aggregation = serializers.ChoiceField(choices=Meter.Aggregation.choices)
    value = StrictCharField(
        source="value_path",
        max_length=255,
        allow_blank=True,
        required=False,
        trim_whitespace=False,
        help_text="The member of `data` that holds the value, with dots into objects; left out for a count.",
    )
    dimensions = serializers.ListField(
        child=StrictCharField(max_length=64, trim_whitespace=False),
        required=False,
        help_text="Members of `data` that usage can be split and priced by.",
    )
    filters = serializers.DictField(
        child=serializers.DictField(),
        required=False,
        help_text=(
            "What members of `data` must hold for an event to count, all of it: "
            '`{"status": {"in": ["200", "204"]}, "bytes": {"gte": "1024"}, "test": {"exists": false}}`. Operators: '
            "equals, not_equals, in, not_in, exists, gt, gte, lt, lte."
        ),
    )
    unit = StrictCharField(max_length=32, allow_blank=True, required=False, help_text="Printed on invoices, such as GB.")
    succeeds = serializers.SerializerMethodField(help_text="The meter whose place it takes in new plan versions.")
    succeeded_by = serializers.SerializerMethodField(help_text="The meter that took its place in new plan versions.")
    created_at = serializers.DateTimeField(read_only=True)

    def get_succeeds(self, meter: Meter) -> str | None:
        """Return the code of the predecessor."""
        return meter.predecessor.code if meter.predecessor else None

    def get_succeeded_by(self, meter: Meter) -> str | None:
        """Return the code of the successor."""
        successor: Meter | None = getattr(meter, "successor", None)
        return None if successor is None else successor.code


class MeterSuccessorSerializer(StrictSerializer):
    """A meter that takes the place of another: its code, and what differs."""

    code = StrictCharField(max_length=64)
    name = StrictCharField(max_length=255, required=False)
    event_type = StrictCharField(max_length=255, trim_whitespace=False, required=False)
    aggregation = serializers.ChoiceField(choices=Meter.Aggregation.choices, required=False)
    value = StrictCharField(source="value_path", max_length=255, allow_blank=True, required=False, trim_whitespace=False)
    dimensions = serializers.ListField(child=StrictCharField(max_length=64, trim_whitespace=False), required=False)
    filters = serializers.DictField(child=serializers.DictField(), required=False)
    unit = StrictCharField(max_length=32, allow_blank=True, required=False)


class CloudEventSerializer(serializers.Serializer[Any]):
    """A CloudEvent 1.0. Extension members are allowed and not kept."""

    specversion = serializers.CharField(required=False, help_text='"1.0"; may be left out in application/json and NDJSON.')
    id = serializers.CharField(max_length=255, help_text="Unique within the source. The same id again is the same event.")
    source = serializers.CharField(max_length=255, help_text="The system that saw the usage.")  # type: ignore[assignment]
    type = serializers.CharField(max_length=255, help_text="Selects the meters that count the event.")
    subject = serializers.CharField(max_length=255, help_text="The key of the customer who used it.")
    time = serializers.DateTimeField(
        required=False, help_text="When it happened, with an offset; the time of receipt if left out."
    )
    data = serializers.DictField(  # type: ignore[assignment]
        required=False, help_text="A JSON object with the values and dimensions. Numbers are exact."
    )


class EventFateSerializer(serializers.Serializer[Any]):
    """What became of one event of the request."""

    index = serializers.IntegerField(help_text="Its position in the request, from 0.")
    source = serializers.CharField()  # type: ignore[assignment]
    id = serializers.CharField()
    fate = serializers.ChoiceField(choices=[(outcome.value, outcome.value) for outcome in Outcome])
    reason = serializers.ChoiceField(choices=[("", ""), *QuarantinedEvent.Reason.choices], help_text="Why it is in quarantine.")
    detail = serializers.CharField()


class EventFatesSerializer(serializers.Serializer[Any]):
    """What became of each event of the request, in order."""

    events = EventFateSerializer(many=True)


class DayUsageSerializer(serializers.Serializer[Any]):
    """What a meter counted on one day of the customer's time zone, or in one month, or on all days asked for."""

    day = serializers.DateField(source="first_day", help_text="The day, or the first of them.")
    end_day = serializers.DateField(help_text="Not included.")
    meter = serializers.CharField(source="meter_code")
    dimensions = serializers.DictField(child=serializers.CharField(allow_null=True), help_text="The values of `group_by`.")
    event_count = serializers.IntegerField()
    quantity = PlainDecimalField(max_digits=38, decimal_places=12, help_text="By the meter's aggregation.")


class UsageHistorySerializer(serializers.Serializer[Any]):
    """A customer's usage; days and months without usage are left out."""

    customer = serializers.CharField()
    timezone = serializers.CharField()
    first_day = serializers.DateField(help_text="Included.")
    end_day = serializers.DateField(help_text="Not included.")
    items = DayUsageSerializer(many=True)


@extend_schema_field({"type": "number", "example": 1250})
class _ExactNumberField(serializers.Field[Any, Any, Any, Any]):
    """A JSON number that is written digit by digit."""


class MeterUsageRowSerializer(serializers.Serializer[Any]):
    """The usage of one window and one set of values."""

    value = _ExactNumberField(help_text="By the meter's aggregation: an exact number of any length.")
    windowStart = serializers.DateTimeField(help_text="Included.")
    windowEnd = serializers.DateTimeField(help_text="Not included.")
    subject = serializers.CharField(allow_null=True, help_text="Null unless `groupBy` has it.")
    groupBy = serializers.DictField(
        child=serializers.CharField(allow_null=True), help_text="The values of the dimensions asked for."
    )


class MeterUsageSerializer(serializers.Serializer[Any]):
    """The usage of a meter; windows without usage are left out."""

    # `from` is no name that Python takes for a member of a class.
    to = serializers.DateTimeField(required=False)
    windowSize = serializers.ChoiceField(choices=[(size.value, size.value) for size in WindowSize], required=False)
    data = MeterUsageRowSerializer(many=True)  # type: ignore[assignment]

    def get_fields(self) -> dict[str, Any]:
        """Return the members, with `from` before the others."""
        return {"from": serializers.DateTimeField(required=False, help_text="As asked.")} | super().get_fields()


class MeterQuerySerializer(serializers.Serializer[Any]):
    """What is asked of a meter."""

    to = serializers.DateTimeField(required=False)
    windowSize = serializers.ChoiceField(choices=[(size.value, size.value) for size in WindowSize], required=False)
    windowTimeZone = serializers.CharField(required=False)
    subject = serializers.ListField(child=serializers.CharField(), required=False)
    filterCustomerId = serializers.ListField(child=serializers.CharField(), required=False)
    groupBy = serializers.ListField(child=serializers.CharField(), required=False)
    filterGroupBy = serializers.DictField(child=serializers.ListField(child=serializers.CharField()), required=False)

    def get_fields(self) -> dict[str, Any]:
        """Return the members, with `from` before the others."""
        return {"from": serializers.DateTimeField(required=False)} | super().get_fields()
