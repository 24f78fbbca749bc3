from django.db import migrations

# I5: from finalisation on, an invoice says the same for ever. What happens to it afterwards is a short list of columns.
FORWARD = """
CREATE FUNCTION squill_freeze_invoice() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
  afterwards CONSTANT text[] := ARRAY['status', 'sent_at', 'paid_minor', 'voided_at', 'void_reason'];
BEGIN
  IF OLD.status = 'draft' THEN
    RETURN CASE WHEN TG_OP = 'DELETE' THEN OLD ELSE NEW END;
  END IF;
  IF TG_OP = 'UPDATE' AND NEW.status <> 'draft' AND OLD.status <> 'void'
     AND to_jsonb(NEW) - afterwards = to_jsonb(OLD) - afterwards THEN
    RETURN NEW;
  END IF;
  RAISE EXCEPTION 'invoice % is final: % refused', OLD.number, TG_OP USING ERRCODE = 'restrict_violation';
END $$;
CREATE TRIGGER frozen BEFORE UPDATE OR DELETE ON billing_invoice
  FOR EACH ROW EXECUTE FUNCTION squill_freeze_invoice();

CREATE FUNCTION squill_freeze_invoice_part() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
  parent bigint := CASE WHEN TG_OP = 'INSERT' THEN NEW.invoice_id ELSE OLD.invoice_id END;
BEGIN
  IF EXISTS (SELECT 1 FROM billing_invoice WHERE id = parent AND status <> 'draft')
     OR (TG_OP = 'UPDATE' AND NEW.invoice_id <> OLD.invoice_id) THEN
    RAISE EXCEPTION '% of a final invoice: % refused', TG_TABLE_NAME, TG_OP USING ERRCODE = 'restrict_violation';
  END IF;
  RETURN CASE WHEN TG_OP = 'DELETE' THEN OLD ELSE NEW END;
END $$;
CREATE TRIGGER frozen BEFORE INSERT OR UPDATE OR DELETE ON billing_invoiceline
  FOR EACH ROW EXECUTE FUNCTION squill_freeze_invoice_part();
CREATE TRIGGER frozen BEFORE INSERT OR UPDATE OR DELETE ON billing_invoicetax
  FOR EACH ROW EXECUTE FUNCTION squill_freeze_invoice_part();

CREATE TRIGGER frozen_truncate BEFORE TRUNCATE ON billing_invoice
  FOR EACH STATEMENT EXECUTE FUNCTION squill_refuse_change();
CREATE TRIGGER frozen_truncate BEFORE TRUNCATE ON billing_invoiceline
  FOR EACH STATEMENT EXECUTE FUNCTION squill_refuse_change();
CREATE TRIGGER frozen_truncate BEFORE TRUNCATE ON billing_invoicetax
  FOR EACH STATEMENT EXECUTE FUNCTION squill_refuse_change();

CREATE TRIGGER append_only BEFORE UPDATE OR DELETE ON billing_invoicedocument
  FOR EACH ROW EXECUTE FUNCTION squill_refuse_change();
CREATE TRIGGER append_only_truncate BEFORE TRUNCATE ON billing_invoicedocument
  FOR EACH STATEMENT EXECUTE FUNCTION squill_refuse_change();
CREATE TRIGGER append_only BEFORE UPDATE OR DELETE ON billing_payment
  FOR EACH ROW EXECUTE FUNCTION squill_refuse_change();
CREATE TRIGGER append_only_truncate BEFORE TRUNCATE ON billing_payment
  FOR EACH STATEMENT EXECUTE FUNCTION squill_refuse_change();
"""
REVERSE = """
DROP TRIGGER append_only_truncate ON billing_payment;
DROP TRIGGER append_only ON billing_payment;
DROP TRIGGER append_only_truncate ON billing_invoicedocument;
DROP TRIGGER append_only ON billing_invoicedocument;
DROP TRIGGER frozen_truncate ON billing_invoicetax;
DROP TRIGGER frozen_truncate ON billing_invoiceline;
DROP TRIGGER frozen_truncate ON billing_invoice;
DROP TRIGGER frozen ON billing_invoicetax;
DROP TRIGGER frozen ON billing_invoiceline;
DROP FUNCTION squill_freeze_invoice_part();
DROP TRIGGER frozen ON billing_invoice;
DROP FUNCTION squill_freeze_invoice();
"""


class Migration(migrations.Migration):
    dependencies = [("billing", "0003_published_plans_frozen")]
    operations = [migrations.RunSQL(FORWARD, REVERSE)]
