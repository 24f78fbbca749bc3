import django.db.models.deletion
from django.db import migrations, models

# Each aggregation keeps what it needs in columns of its own, null in the others. A unique count has a row for each item.
ROLLUPS = """
ALTER TABLE usage_rollup
  ALTER value_sum DROP NOT NULL,
  ALTER value_max DROP NOT NULL,
  ADD value_min numeric CHECK (value_min > -1e30 AND value_min < 1e30),
  ADD value_weight numeric CHECK (value_weight > -1e45 AND value_weight < 1e45),
  ADD value_latest numeric CHECK (value_latest > -1e30 AND value_latest < 1e30),
  ADD latest_at timestamptz,
  ADD latest_event text COLLATE "C",
  ADD item text,
  ADD CHECK ((latest_at IS NULL) = (value_latest IS NULL) AND (latest_at IS NULL) = (latest_event IS NULL));
UPDATE usage_rollup r SET value_sum = CASE WHEN m.aggregation = 'sum' THEN r.value_sum END,
  value_max = CASE WHEN m.aggregation = 'max' THEN r.value_max END
FROM usage_meter m WHERE m.id = r.meter_id;
"""
ROLLUPS_BACK = """
DELETE FROM usage_rollup r USING usage_meter m WHERE m.id = r.meter_id AND m.aggregation NOT IN ('count', 'sum', 'max');
ALTER TABLE usage_rollup DROP value_min, DROP value_weight, DROP value_latest, DROP latest_at, DROP latest_event, DROP item;
UPDATE usage_rollup SET value_sum = coalesce(value_sum, event_count), value_max = coalesce(value_max, 1);
ALTER TABLE usage_rollup ALTER value_sum SET NOT NULL, ALTER value_max SET NOT NULL;
"""

MEANING = """
CREATE OR REPLACE FUNCTION squill_keep_meter_meaning() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF (NEW.code, NEW.event_type, NEW.aggregation, NEW.value_path, NEW.dimensions{filters})
     IS DISTINCT FROM (OLD.code, OLD.event_type, OLD.aggregation, OLD.value_path, OLD.dimensions{old_filters})
     AND EXISTS (SELECT 1 FROM usage_rollup WHERE meter_id = OLD.id) THEN
    RAISE EXCEPTION 'meter % has usage: its meaning is fixed', OLD.code USING ERRCODE = 'restrict_violation';
  END IF;
  RETURN NEW;
END $$;
"""

# A customer's days are counted again when its time zone changes (usage.zones). Who changes it without doing so is refused.
ZONES = """
CREATE OR REPLACE FUNCTION squill_keep_customer_zone() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF NEW.timezone <> OLD.timezone THEN
    -- Ingestion that has read the old zone and not yet committed holds this lock (usage.ingestion.locks).
    PERFORM pg_advisory_xact_lock(7301, 0);
    IF {unless} EXISTS (SELECT 1 FROM usage_rollup WHERE customer_id = OLD.id) THEN
      RAISE EXCEPTION 'customer % has usage: the time zone is fixed', OLD.external_id USING ERRCODE = 'restrict_violation';
    END IF;
  END IF;
  RETURN NEW;
END $$;
"""
UNLESS = "current_setting('squill.days_counted_again_for', true) IS DISTINCT FROM OLD.id::text AND"


class Migration(migrations.Migration):
    dependencies = [("usage", "0006_slim_events")]
    operations = [
        migrations.AlterField(
            model_name="meter",
            name="aggregation",
            field=models.CharField(
                choices=[
                    ("count", "count of events"),
                    ("sum", "sum of values"),
                    ("min", "smallest value"),
                    ("max", "largest value"),
                    ("latest", "latest value"),
                    ("unique_count", "count of different values"),
                    ("average", "average of values"),
                    ("weighted_sum", "running total, averaged over time"),
                ],
                max_length=16,
                verbose_name="aggregation",
            ),
        ),
        migrations.AddField(
            model_name="meter",
            name="filters",
            field=models.JSONField(blank=True, default=dict, verbose_name="filters"),
        ),
        migrations.AddField(
            model_name="meter",
            name="predecessor",
            field=models.OneToOneField(
                blank=True,
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="successor",
                to="usage.meter",
                verbose_name="succeeds",
            ),
        ),
        migrations.RunSQL(ROLLUPS, ROLLUPS_BACK),
        migrations.RunSQL(
            MEANING.format(filters=", NEW.filters", old_filters=", OLD.filters"), MEANING.format(filters="", old_filters="")
        ),
        migrations.RunSQL(ZONES.format(unless=UNLESS), ZONES.format(unless="")),
    ]
