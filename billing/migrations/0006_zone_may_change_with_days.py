from django.db import migrations

# A time zone may change where the customer's days are counted again with it (usage.zones): periods are rated by their days, and
# keep the instants at which they were due to begin and end. A plan has one currency, which stays fixed.
FUNCTION = """
CREATE OR REPLACE FUNCTION squill_keep_customer_terms() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF (NEW.timezone, NEW.currency) IS DISTINCT FROM (OLD.timezone, OLD.currency)
     {unless}
     AND EXISTS (SELECT 1 FROM billing_subscription WHERE customer_id = OLD.id) THEN
    RAISE EXCEPTION 'customer % has subscriptions: time zone and currency are fixed', OLD.external_id
      USING ERRCODE = 'restrict_violation';
  END IF;
  RETURN NEW;
END $$;
"""
UNLESS = """AND (NEW.currency <> OLD.currency
          OR current_setting('squill.days_counted_again_for', true) IS DISTINCT FROM OLD.id::text)"""


class Migration(migrations.Migration):
    dependencies = [("billing", "0005_customer_terms_fixed_with_subscription"), ("usage", "0007_aggregations")]
    operations = [migrations.RunSQL(FUNCTION.format(unless=UNLESS), FUNCTION.format(unless=""))]
