from django.db import migrations

# Stored periods begin and end at midnights of the customer's time zone, and a plan has one currency.
FORWARD = """
CREATE FUNCTION squill_keep_customer_terms() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF (NEW.timezone, NEW.currency) IS DISTINCT FROM (OLD.timezone, OLD.currency)
     AND EXISTS (SELECT 1 FROM billing_subscription WHERE customer_id = OLD.id) THEN
    RAISE EXCEPTION 'customer % has subscriptions: time zone and currency are fixed', OLD.external_id
      USING ERRCODE = 'restrict_violation';
  END IF;
  RETURN NEW;
END $$;
CREATE TRIGGER terms_fixed_with_subscription BEFORE UPDATE ON customers_customer
  FOR EACH ROW EXECUTE FUNCTION squill_keep_customer_terms();
"""
REVERSE = """
DROP TRIGGER terms_fixed_with_subscription ON customers_customer;
DROP FUNCTION squill_keep_customer_terms();
"""


class Migration(migrations.Migration):
    dependencies = [("billing", "0004_final_invoices_frozen")]
    operations = [migrations.RunSQL(FORWARD, REVERSE)]
