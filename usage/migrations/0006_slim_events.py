from django.db import migrations

# An event takes 290 bytes instead of 415: its key lies in usage_eventkey alone, its data is kept as the canonical text that it
# was hashed as, a subject that is the customer's external id (which never changes) is not repeated, and the index holds the UTC
# day instead of the instant, so that the events of one customer and day share an entry. usage_eventkey says where an event lies.
FORWARD = """
CREATE FUNCTION usage_next_month(first date) RETURNS date LANGUAGE sql IMMUTABLE AS
$$ SELECT (first + interval '1 month')::date $$;

ALTER TABLE usage_event RENAME TO usage_event_before;
DO $$
DECLARE part text;
BEGIN
  FOR part IN SELECT inhrelid::regclass::text FROM pg_inherits WHERE inhparent = 'usage_event_before'::regclass LOOP
    EXECUTE format('ALTER TABLE %I RENAME TO %I', part, part || '_before');
  END LOOP;
END $$;
DROP INDEX usage_event_by_key;
DROP INDEX usage_event_by_customer;

CREATE TABLE usage_event (
  occurred_at timestamptz NOT NULL,
  received_at timestamptz NOT NULL,
  customer_id int NOT NULL,
  subject text,
  event_type text NOT NULL,
  source text NOT NULL,
  event_id text NOT NULL,
  data text NOT NULL
) PARTITION BY RANGE (occurred_at);
CREATE INDEX usage_event_by_customer ON usage_event (customer_id, ((occurred_at AT TIME ZONE 'UTC')::date));
-- A few bytes a page: the newest events of all customers, and one span of time, are found without reading the month.
CREATE INDEX usage_event_by_time ON usage_event USING brin (occurred_at) WITH (autosummarize = on);
DO $$
DECLARE part text; first date;
BEGIN
  FOR part IN SELECT inhrelid::regclass::text FROM pg_inherits WHERE inhparent = 'usage_event_before'::regclass ORDER BY 1 LOOP
    first := to_date(substring(part FROM '[0-9]{4}_[0-9]{2}'), 'YYYY_MM');
    EXECUTE format(
      'CREATE TABLE %I PARTITION OF usage_event FOR VALUES FROM (%L) TO (%L)',
      'usage_event_' || to_char(first, 'YYYY_MM'), first || ' 00:00:00+00', usage_next_month(first) || ' 00:00:00+00');
  END LOOP;
END $$;
-- jsonb holds the same members; the spelling of its text differs from the canonical one only in spaces and order.
INSERT INTO usage_event
SELECT e.occurred_at, e.received_at, e.customer_id, nullif(e.subject, c.external_id), e.event_type, e.source, e.event_id, e.data::text
FROM usage_event_before e JOIN customers_customer c ON c.id = e.customer_id ORDER BY e.occurred_at;

ALTER TABLE usage_eventkey RENAME TO usage_eventkey_before;
ALTER INDEX usage_eventkey_pkey RENAME TO usage_eventkey_before_pkey;
CREATE TABLE usage_eventkey (
  key uuid PRIMARY KEY,
  content bigint NOT NULL,
  customer_id int,
  day date,
  CHECK ((customer_id IS NULL) = (day IS NULL))
);
INSERT INTO usage_eventkey
SELECT k.key, ('x' || left(replace(k.content::text, '-', ''), 16))::bit(64)::bigint, e.customer_id,
       (e.occurred_at AT TIME ZONE 'UTC')::date
FROM usage_eventkey_before k LEFT JOIN usage_event_before e USING (key);
DROP TABLE usage_event_before;
DROP TABLE usage_eventkey_before;
DROP FUNCTION usage_next_month(date);

CREATE TRIGGER append_only BEFORE UPDATE OR DELETE ON usage_event
  FOR EACH ROW EXECUTE FUNCTION squill_refuse_change();
CREATE TRIGGER append_only_truncate BEFORE TRUNCATE ON usage_event
  FOR EACH STATEMENT EXECUTE FUNCTION squill_refuse_change();
-- An identity is for ever. Where its event lies is written once: at once, or when the event leaves the quarantine.
CREATE TRIGGER append_only BEFORE DELETE ON usage_eventkey
  FOR EACH ROW EXECUTE FUNCTION squill_refuse_change();
CREATE TRIGGER append_only_truncate BEFORE TRUNCATE ON usage_eventkey
  FOR EACH STATEMENT EXECUTE FUNCTION squill_refuse_change();
CREATE TRIGGER placed_once BEFORE UPDATE ON usage_eventkey
  FOR EACH ROW WHEN (OLD.customer_id IS NOT NULL OR (OLD.key, OLD.content) IS DISTINCT FROM (NEW.key, NEW.content))
  EXECUTE FUNCTION squill_refuse_change();
"""


class Migration(migrations.Migration):
    # Keys cannot be worked out by SQL, so there is no way back: restore a backup.
    dependencies = [("usage", "0005_corrections")]
    operations = [migrations.RunSQL(FORWARD)]
