from django.db import migrations

# Events are partitioned by month (dropping a month is instant, indexes stay small), so their identity cannot be a unique
# index on them: it lies in usage_eventkey, which every event of every month passes (I1).
FORWARD = """
CREATE TABLE usage_eventkey (
  key uuid PRIMARY KEY,
  content uuid NOT NULL
);
CREATE TABLE usage_event (
  key uuid NOT NULL,
  occurred_at timestamptz NOT NULL,
  received_at timestamptz NOT NULL,
  customer_id bigint NOT NULL,
  subject text NOT NULL,
  event_type text NOT NULL,
  source text NOT NULL,
  event_id text NOT NULL,
  data jsonb NOT NULL
) PARTITION BY RANGE (occurred_at);
CREATE INDEX usage_event_by_customer ON usage_event (customer_id, occurred_at);
CREATE TRIGGER append_only BEFORE UPDATE OR DELETE ON usage_event
  FOR EACH ROW EXECUTE FUNCTION squill_refuse_change();
CREATE TRIGGER append_only_truncate BEFORE TRUNCATE ON usage_event
  FOR EACH STATEMENT EXECUTE FUNCTION squill_refuse_change();
CREATE TRIGGER append_only BEFORE UPDATE OR DELETE ON usage_eventkey
  FOR EACH ROW EXECUTE FUNCTION squill_refuse_change();
CREATE TRIGGER append_only_truncate BEFORE TRUNCATE ON usage_eventkey
  FOR EACH STATEMENT EXECUTE FUNCTION squill_refuse_change();
CREATE TABLE usage_rollup (
  customer_id bigint NOT NULL,
  meter_id bigint NOT NULL,
  day date NOT NULL,
  dimensions_key uuid NOT NULL,
  dimensions jsonb NOT NULL,
  event_count bigint NOT NULL CHECK (event_count > 0),
  value_sum numeric NOT NULL CHECK (value_sum > -1e30 AND value_sum < 1e30),
  value_max numeric NOT NULL CHECK (value_max > -1e30 AND value_max < 1e30),
  PRIMARY KEY (customer_id, meter_id, day, dimensions_key)
);
"""
REVERSE = "DROP TABLE usage_rollup; DROP TABLE usage_event; DROP TABLE usage_eventkey;"


class Migration(migrations.Migration):
    dependencies = [("usage", "0001_initial"), ("customers", "0002_append_only")]
    operations = [migrations.RunSQL(FORWARD, REVERSE)]
