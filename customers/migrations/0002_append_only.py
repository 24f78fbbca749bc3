from django.db import migrations

# One function for every table whose rows are only ever added; TRUNCATE is a statement trigger of its own, since row
# triggers do not see it.
FORWARD = """
CREATE FUNCTION squill_refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  RAISE EXCEPTION '% is append-only: % refused', TG_TABLE_NAME, TG_OP USING ERRCODE = 'restrict_violation';
END $$;
CREATE TRIGGER append_only BEFORE UPDATE OR DELETE ON customers_auditevent
  FOR EACH ROW EXECUTE FUNCTION squill_refuse_change();
CREATE TRIGGER append_only_truncate BEFORE TRUNCATE ON customers_auditevent
  FOR EACH STATEMENT EXECUTE FUNCTION squill_refuse_change();
"""
REVERSE = """
DROP TRIGGER append_only_truncate ON customers_auditevent;
DROP TRIGGER append_only ON customers_auditevent;
DROP FUNCTION squill_refuse_change();
"""


class Migration(migrations.Migration):
    dependencies = [("customers", "0001_initial")]
    operations = [migrations.RunSQL(FORWARD, REVERSE)]
