from django.db import migrations

# Rollups are sums of days in the customer's time zone; moving the zone under them would make them mean other days.
FORWARD = """
CREATE FUNCTION squill_keep_customer_zone() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF NEW.timezone <> OLD.timezone THEN
    -- Ingestion that has read the old zone and not yet committed holds this lock (usage.ingestion.locks).
    PERFORM pg_advisory_xact_lock(7301, 0);
    IF EXISTS (SELECT 1 FROM usage_rollup WHERE customer_id = OLD.id) THEN
      RAISE EXCEPTION 'customer % has usage: the time zone is fixed', OLD.external_id USING ERRCODE = 'restrict_violation';
    END IF;
  END IF;
  RETURN NEW;
END $$;
CREATE TRIGGER zone_fixed_with_usage BEFORE UPDATE ON customers_customer
  FOR EACH ROW EXECUTE FUNCTION squill_keep_customer_zone();
"""
REVERSE = """
DROP TRIGGER zone_fixed_with_usage ON customers_customer;
DROP FUNCTION squill_keep_customer_zone();
"""


class Migration(migrations.Migration):
    dependencies = [("usage", "0003_meter_meaning_fixed")]
    operations = [migrations.RunSQL(FORWARD, REVERSE)]
