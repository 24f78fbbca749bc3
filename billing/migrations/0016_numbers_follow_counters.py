from django.db import migrations

# I5 and I6 at the beginning of a document's life: an invoice begins as a draft that nothing has happened to, a counter at zero,
# and what is final has the number that its counter has just given.
FORWARDS = """
CREATE FUNCTION squill_invoice_begins() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF NEW.status <> 'draft' OR NEW.paid_minor <> 0 OR NEW.credited_minor <> 0 OR NEW.sent_at IS NOT NULL THEN
    RAISE EXCEPTION 'an invoice begins as a draft: INSERT refused' USING ERRCODE = 'restrict_violation';
  END IF;
  RETURN NEW;
END $$;
CREATE TRIGGER begins BEFORE INSERT ON billing_invoice FOR EACH ROW EXECUTE FUNCTION squill_invoice_begins();

CREATE FUNCTION squill_counter_begins() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF NEW.last_number <> 0 THEN
    RAISE EXCEPTION 'a counter begins at zero: INSERT refused' USING ERRCODE = 'restrict_violation';
  END IF;
  RETURN NEW;
END $$;
CREATE TRIGGER begins BEFORE INSERT ON billing_numbercounter FOR EACH ROW EXECUTE FUNCTION squill_counter_begins();

CREATE FUNCTION squill_number_was_given() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF NEW.sequence IS DISTINCT FROM (SELECT last_number FROM billing_numbercounter WHERE id = NEW.counter_id) THEN
    RAISE EXCEPTION '% is not the number that its counter has just given', NEW.number USING ERRCODE = 'restrict_violation';
  END IF;
  RETURN NEW;
END $$;
CREATE TRIGGER numbered BEFORE UPDATE ON billing_invoice FOR EACH ROW
  WHEN (OLD.status = 'draft' AND NEW.status <> 'draft') EXECUTE FUNCTION squill_number_was_given();
CREATE TRIGGER numbered BEFORE INSERT ON billing_creditnote FOR EACH ROW EXECUTE FUNCTION squill_number_was_given();
"""
BACKWARDS = """
DROP TRIGGER numbered ON billing_creditnote;
DROP TRIGGER numbered ON billing_invoice;
DROP FUNCTION squill_number_was_given();
DROP TRIGGER begins ON billing_numbercounter;
DROP FUNCTION squill_counter_begins();
DROP TRIGGER begins ON billing_invoice;
DROP FUNCTION squill_invoice_begins();
"""


class Migration(migrations.Migration):
    dependencies = [("billing", "0015_billing_chunks")]
    operations = [migrations.RunSQL(FORWARDS, BACKWARDS)]
