from django.db import migrations

# A meter that has counted something keeps its meaning: its rollups would say something else afterwards.
FORWARD = """
CREATE FUNCTION squill_keep_meter_meaning() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF (NEW.code, NEW.event_type, NEW.aggregation, NEW.value_path, NEW.dimensions)
     IS DISTINCT FROM (OLD.code, OLD.event_type, OLD.aggregation, OLD.value_path, OLD.dimensions)
     AND EXISTS (SELECT 1 FROM usage_rollup WHERE meter_id = OLD.id) THEN
    RAISE EXCEPTION 'meter % has usage: its meaning is fixed', OLD.code USING ERRCODE = 'restrict_violation';
  END IF;
  RETURN NEW;
END $$;
CREATE TRIGGER meaning_fixed BEFORE UPDATE ON usage_meter
  FOR EACH ROW EXECUTE FUNCTION squill_keep_meter_meaning();
CREATE INDEX usage_rollup_by_meter ON usage_rollup (meter_id, day);
"""
REVERSE = """
DROP INDEX usage_rollup_by_meter;
DROP TRIGGER meaning_fixed ON usage_meter;
DROP FUNCTION squill_keep_meter_meaning();
"""


class Migration(migrations.Migration):
    dependencies = [("usage", "0002_events_and_rollups")]
    operations = [migrations.RunSQL(FORWARD, REVERSE)]
