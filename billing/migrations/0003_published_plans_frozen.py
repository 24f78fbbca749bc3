from django.db import migrations

# I8: a published version never changes; it may only be archived.
FORWARD = """
CREATE FUNCTION squill_freeze_plan_version() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF OLD.status = 'draft' THEN
    RETURN CASE WHEN TG_OP = 'DELETE' THEN OLD ELSE NEW END;
  END IF;
  IF TG_OP = 'UPDATE' AND OLD.status = 'published' AND NEW.status = 'archived'
     AND to_jsonb(NEW) - 'status' = to_jsonb(OLD) - 'status' THEN
    RETURN NEW;
  END IF;
  RAISE EXCEPTION 'plan version % is %: it never changes, publish a new version', OLD.id, OLD.status
    USING ERRCODE = 'restrict_violation';
END $$;
CREATE TRIGGER frozen BEFORE UPDATE OR DELETE ON billing_planversion
  FOR EACH ROW EXECUTE FUNCTION squill_freeze_plan_version();

CREATE FUNCTION squill_freeze_charge() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
  version_id bigint := CASE WHEN TG_OP = 'INSERT' THEN NEW.plan_version_id ELSE OLD.plan_version_id END;
BEGIN
  IF EXISTS (SELECT 1 FROM billing_planversion WHERE id = version_id AND status <> 'draft')
     OR (TG_OP = 'UPDATE' AND NEW.plan_version_id <> OLD.plan_version_id) THEN
    RAISE EXCEPTION 'charges of plan version % are published: they never change', version_id
      USING ERRCODE = 'restrict_violation';
  END IF;
  RETURN CASE WHEN TG_OP = 'DELETE' THEN OLD ELSE NEW END;
END $$;
CREATE TRIGGER frozen BEFORE INSERT OR UPDATE OR DELETE ON billing_charge
  FOR EACH ROW EXECUTE FUNCTION squill_freeze_charge();
CREATE TRIGGER frozen_truncate BEFORE TRUNCATE ON billing_planversion
  FOR EACH STATEMENT EXECUTE FUNCTION squill_refuse_change();
CREATE TRIGGER frozen_truncate BEFORE TRUNCATE ON billing_charge
  FOR EACH STATEMENT EXECUTE FUNCTION squill_refuse_change();
"""
REVERSE = """
DROP TRIGGER frozen_truncate ON billing_charge;
DROP TRIGGER frozen_truncate ON billing_planversion;
DROP TRIGGER frozen ON billing_charge;
DROP FUNCTION squill_freeze_charge();
DROP TRIGGER frozen ON billing_planversion;
DROP FUNCTION squill_freeze_plan_version();
"""


class Migration(migrations.Migration):
    dependencies = [("billing", "0002_initial"), ("customers", "0002_append_only")]
    operations = [migrations.RunSQL(FORWARD, REVERSE)]
