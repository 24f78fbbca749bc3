"""
Rollups worked out from raw events in SQL, by other code than what counts: what reconcile compares them with, and what is kept
of months whose events are put away.
"""

import re
from typing import Final

from usage.models.event import STILL_COUNTS

# Whether a text is what a meter or a comparison takes for a number: at most 60 digits before and after the point. CASE, since a
# text that is no number must not be cast.
_IS_NUMBER: Final = (
    "CASE WHEN length(<text>) <= 120 AND <text> ~ '^[+-]?[0-9]+([.][0-9]*)?([eE][+-]?[0-9]{1,4})?$' "
    "THEN abs(<text>::numeric) < 1e60 AND scale(<text>::numeric) <= 60 ELSE false END"
)
# The member of `d.data` that a path names, as JSON. A name that holds dots itself goes before the path, even where it is null;
# a path leads into objects only ("strict": not into lists).
_MEMBER: Final = (
    "CASE WHEN d.data ? <path> THEN d.data -> <path> WHEN strpos(<path>, '.') > 0 THEN jsonb_path_query_first("
    """d.data, ('strict $.' || replace(to_json(<path>)::text, '.', '"."'))::jsonpath, '{}', true) END"""
)
# The end of a day. Where clocks go back over midnight, which comes twice then, PostgreSQL takes the later one.
_NEXT_DAY: Final = "(day + 1)::timestamp"
_END_OF_DAY: Final = f"""CASE WHEN ({_NEXT_DAY} AT TIME ZONE timezone - interval '1 hour') AT TIME ZONE timezone >= {_NEXT_DAY}
         THEN {_NEXT_DAY} AT TIME ZONE timezone - interval '1 hour' ELSE {_NEXT_DAY} AT TIME ZONE timezone END"""
COLUMNS: Final = (
    "customer_id, meter_id, day, dimensions, item, event_count, value_sum, value_min, value_max, value_weight, "
    "latest_at, latest_event, value_latest"
)

# Grain: customer, meter, local day, dimension values, item. `raw` reads every event once for each meter of its type whose
# filters it passes. A number is what a meter takes: below 10^15, at most 12 decimals, zero or more unless the meter is a
# weighted sum. What it cannot take was counted for nothing, and so was an event with a dimension that is no short text. What was
# corrected counts no more. MATERIALIZED, since the planner would take the tests of the text for so rare that it loops over all
# customers.
_TEXT: Final = r"""
WITH raw AS MATERIALIZED (
  SELECT e.customer_id, m.id AS meter_id, m.aggregation, (e.occurred_at AT TIME ZONE c.timezone)::date AS day, e.occurred_at,
         e.event_id || chr(31) || e.source AS event, c.timezone,
         (SELECT coalesce(jsonb_object_agg(n, (<member n>) #>> '{}'), '{}')
          FROM unnest(m.dimensions) AS n) AS dimensions,
         CASE WHEN m.value_path = '' THEN '1'
              ELSE (<member m.value_path>) #>> '{}' END AS text
  FROM <table> e
  JOIN usage_meter m ON m.event_type = e.event_type AND <meters>
  JOIN customers_customer c ON c.id = e.customer_id
  CROSS JOIN LATERAL (SELECT e.data::jsonb AS data OFFSET 0) d
  WHERE <still_counts>
  AND NOT EXISTS (
    SELECT 1 FROM unnest(m.dimensions || CASE m.aggregation WHEN 'unique_count' THEN ARRAY[m.value_path] ELSE '{}' END) AS n,
      LATERAL (SELECT <member n> AS sent) AS s
    WHERE jsonb_typeof(sent) IN ('object', 'array') OR length(sent #>> '{}') > 255
  )
  AND (m.filters = '{}' OR NOT EXISTS (
    SELECT 1 FROM jsonb_each(m.filters) AS f(member, conditions), jsonb_each(f.conditions) AS o(operator, operand),
      LATERAL (SELECT <member f.member> AS json) AS s,
      LATERAL (SELECT CASE WHEN jsonb_typeof(s.json) NOT IN ('object', 'array', 'null') THEN s.json #>> '{}' END AS text,
                      jsonb_typeof(s.json) IN ('number', 'string') AS may_be_number) AS v
    WHERE NOT CASE o.operator
      WHEN 'exists' THEN (coalesce(jsonb_typeof(s.json), 'null') <> 'null') = (o.operand = 'true'::jsonb)
      WHEN 'equals' THEN coalesce(v.text = o.operand #>> '{}', false)
      WHEN 'not_equals' THEN NOT coalesce(v.text = o.operand #>> '{}', false)
      WHEN 'in' THEN coalesce(o.operand ? v.text, false)
      WHEN 'not_in' THEN NOT coalesce(o.operand ? v.text, false)
      ELSE coalesce(CASE WHEN v.may_be_number AND <is number v.text> THEN CASE o.operator
        WHEN 'gt' THEN v.text::numeric > (o.operand #>> '{}')::numeric
        WHEN 'gte' THEN v.text::numeric >= (o.operand #>> '{}')::numeric
        WHEN 'lt' THEN v.text::numeric < (o.operand #>> '{}')::numeric
        WHEN 'lte' THEN v.text::numeric <= (o.operand #>> '{}')::numeric END END, false) END
  ))
),
valued AS (
  SELECT customer_id, meter_id, aggregation, day, dimensions, occurred_at, event, timezone, text AS item, 1::numeric AS value
  FROM raw WHERE aggregation = 'unique_count' AND text IS NOT NULL
  UNION ALL
  SELECT customer_id, meter_id, aggregation, day, dimensions, occurred_at, event, timezone, NULL,
         CASE WHEN <is number text> THEN text::numeric END
  FROM raw WHERE aggregation <> 'unique_count'
)
SELECT customer_id, meter_id, day, dimensions, item, count(*) AS event_count,
       CASE WHEN aggregation IN ('sum', 'average', 'weighted_sum') THEN sum(value) END AS value_sum,
       CASE aggregation WHEN 'min' THEN min(value) END AS value_min,
       CASE aggregation WHEN 'max' THEN max(value) END AS value_max,
       CASE aggregation WHEN 'weighted_sum' THEN sum(value
         * round(extract(epoch FROM <end of day> - occurred_at) * 1000000)) END AS value_weight,
       CASE aggregation WHEN 'latest' THEN max(occurred_at) END AS latest_at,
       CASE aggregation WHEN 'latest' THEN
         (array_agg(event ORDER BY occurred_at DESC, event COLLATE "C" DESC))[1] END AS latest_event,
       CASE aggregation WHEN 'latest' THEN
         (array_agg(value ORDER BY occurred_at DESC, event COLLATE "C" DESC))[1] END AS value_latest
FROM valued
WHERE (value >= 0 OR aggregation = 'weighted_sum') AND abs(value) < 1e15 AND scale(trim_scale(value)) <= 12
GROUP BY customer_id, meter_id, aggregation, day, dimensions, item
"""


def recounted(table: str, *, meters: str = "TRUE") -> str:
    """
    Return the SELECT of COLUMNS that counts the events of a table again; `meters` is a condition on `m`, the meters counted.

    Both are taken into the text as they are.
    """
    text = re.sub("<member (.*?)>", lambda found: _MEMBER.replace("<path>", found[1]), _TEXT)
    text = re.sub("<is number (.*?)>", lambda found: _IS_NUMBER.replace("<text>", found[1]), text)
    text = text.replace("<end of day>", _END_OF_DAY).replace("<still_counts>", STILL_COUNTS)
    return text.replace("<table>", table).replace("<meters>", meters)
