from django.db import migrations

# The months of usage_event are tables, and only who owns usage_event can attach one. The application's role does not own it
# (manage.py database_roles), yet the first event of a month needs its table: so this function makes it, with the rights of its
# owner, and can do nothing else. Who may call it is said by database_roles.
FORWARD = """
CREATE FUNCTION squill_make_event_month(month date) RETURNS boolean LANGUAGE plpgsql SECURITY DEFINER
SET search_path = public, pg_temp AS $$
DECLARE
  part text := 'usage_event_' || to_char(month, 'YYYY_MM');
BEGIN
  IF month IS NULL OR month <> date_trunc('month', month)::date OR extract(year FROM month) NOT BETWEEN 1 AND 9998 THEN
    RAISE EXCEPTION '% is not the first day of a month', month USING ERRCODE = 'invalid_parameter_value';
  END IF;
  IF EXISTS (SELECT 1 FROM pg_inherits WHERE inhparent = 'usage_event'::regclass AND inhrelid = to_regclass(part)) THEN
    RETURN false;
  END IF;
  -- Made beside and attached, which unlike PARTITION OF does not lock the whole table.
  EXECUTE format('CREATE TABLE %I (LIKE usage_event INCLUDING ALL)', part);
  EXECUTE format('ALTER TABLE usage_event ATTACH PARTITION %I FOR VALUES FROM (%L) TO (%L)', part,
    to_char(month, 'YYYY-MM-DD') || ' 00:00:00+00', to_char(month + interval '1 month', 'YYYY-MM-DD') || ' 00:00:00+00');
  RETURN true;
END $$;
REVOKE EXECUTE ON FUNCTION squill_make_event_month(date) FROM PUBLIC;
"""
REVERSE = "DROP FUNCTION squill_make_event_month(date);"


class Migration(migrations.Migration):
    dependencies = [("usage", "0009_put_away_months")]
    operations = [migrations.RunSQL(FORWARD, REVERSE)]
