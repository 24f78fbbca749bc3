from django.db import migrations

# I5 for every document: what it says never changes; its status moves only along the moves of billing.invoicing.moves.
INVOICES = """
CREATE OR REPLACE FUNCTION squill_freeze_invoice() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
  afterwards CONSTANT text[] := ARRAY['status', 'sent_at', 'paid_minor', 'credited_minor', 'voided_at', 'void_reason'];
  moves CONSTANT text[] := ARRAY['finalized paid', 'finalized void', 'finalized uncollectible', 'paid finalized', 'paid void',
    'uncollectible finalized', 'uncollectible paid', 'uncollectible void'];
BEGIN
  IF OLD.status = 'draft' THEN
    IF TG_OP = 'UPDATE' AND NEW.status NOT IN ('draft', 'finalized', 'paid') THEN
      RAISE EXCEPTION 'a draft cannot become %', NEW.status USING ERRCODE = 'restrict_violation';
    END IF;
    RETURN CASE WHEN TG_OP = 'DELETE' THEN OLD ELSE NEW END;
  END IF;
  IF TG_OP = 'UPDATE' AND to_jsonb(NEW) - afterwards = to_jsonb(OLD) - afterwards
     AND (OLD.status <> 'void' OR to_jsonb(NEW) = to_jsonb(OLD))
     AND (NEW.status = OLD.status OR OLD.status || ' ' || NEW.status = ANY (moves)) THEN
    RETURN NEW;
  END IF;
  RAISE EXCEPTION 'invoice % is final: % refused', OLD.number, TG_OP USING ERRCODE = 'restrict_violation';
END $$;
CREATE TRIGGER frozen BEFORE INSERT OR UPDATE OR DELETE ON billing_invoicediscount
  FOR EACH ROW EXECUTE FUNCTION squill_freeze_invoice_part();
CREATE TRIGGER frozen_truncate BEFORE TRUNCATE ON billing_invoicediscount
  FOR EACH STATEMENT EXECUTE FUNCTION squill_refuse_change();
"""
INVOICES_BACK = """
DROP TRIGGER frozen_truncate ON billing_invoicediscount;
DROP TRIGGER frozen ON billing_invoicediscount;
CREATE OR REPLACE FUNCTION squill_freeze_invoice() RETURNS trigger LANGUAGE plpgsql AS $$
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
"""
# A credit note is open only within the transaction that writes it, while its snapshot is empty.
CREDIT_NOTES = """
CREATE FUNCTION squill_freeze_credit_note() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
  afterwards CONSTANT text[] := ARRAY['sent_at', 'refunded_at', 'refund_reference'];
BEGIN
  IF TG_OP = 'UPDATE' AND (OLD.snapshot = '{}'::jsonb OR to_jsonb(NEW) - afterwards = to_jsonb(OLD) - afterwards) THEN
    RETURN NEW;
  END IF;
  RAISE EXCEPTION 'credit note % is final: % refused', OLD.number, TG_OP USING ERRCODE = 'restrict_violation';
END $$;
CREATE TRIGGER frozen BEFORE UPDATE OR DELETE ON billing_creditnote
  FOR EACH ROW EXECUTE FUNCTION squill_freeze_credit_note();

CREATE FUNCTION squill_credit_note_is_sealed() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF EXISTS (SELECT 1 FROM billing_creditnote WHERE id = NEW.id AND snapshot = '{}'::jsonb) THEN
    RAISE EXCEPTION 'credit note % has no snapshot', NEW.number USING ERRCODE = 'check_violation';
  END IF;
  RETURN NULL;
END $$;
CREATE CONSTRAINT TRIGGER sealed AFTER INSERT OR UPDATE ON billing_creditnote DEFERRABLE INITIALLY DEFERRED
  FOR EACH ROW EXECUTE FUNCTION squill_credit_note_is_sealed();

CREATE FUNCTION squill_freeze_credit_note_part() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF TG_OP = 'INSERT' AND EXISTS (SELECT 1 FROM billing_creditnote WHERE id = NEW.credit_note_id AND snapshot = '{}'::jsonb) THEN
    RETURN NEW;
  END IF;
  RAISE EXCEPTION '% of a final credit note: % refused', TG_TABLE_NAME, TG_OP USING ERRCODE = 'restrict_violation';
END $$;
CREATE TRIGGER frozen BEFORE INSERT OR UPDATE OR DELETE ON billing_creditnoteline
  FOR EACH ROW EXECUTE FUNCTION squill_freeze_credit_note_part();
CREATE TRIGGER frozen BEFORE INSERT OR UPDATE OR DELETE ON billing_creditnotetax
  FOR EACH ROW EXECUTE FUNCTION squill_freeze_credit_note_part();

-- Never more than was invoiced: all credit notes of a line together take back what it says at most. The invoice is locked first,
-- so that two of them see each other.
CREATE FUNCTION squill_credit_within_line() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
  of_line record;
  credited bigint;
  taken_back bigint;
BEGIN
  SELECT l.amount_minor, l.discount_minor, l.invoice_id, n.invoice_id AS credited_invoice_id INTO of_line
    FROM billing_invoiceline l, billing_creditnote n WHERE l.id = NEW.invoice_line_id AND n.id = NEW.credit_note_id;
  PERFORM 1 FROM billing_invoice WHERE id = of_line.invoice_id FOR NO KEY UPDATE;
  SELECT coalesce(sum(amount_minor), 0), coalesce(sum(discount_minor), 0) INTO credited, taken_back
    FROM billing_creditnoteline WHERE invoice_line_id = NEW.invoice_line_id;
  IF of_line.invoice_id <> of_line.credited_invoice_id THEN
    RAISE EXCEPTION 'a credit note takes back lines of its own invoice' USING ERRCODE = 'check_violation';
  END IF;
  IF credited + NEW.amount_minor > of_line.amount_minor OR taken_back + NEW.discount_minor > of_line.discount_minor THEN
    RAISE EXCEPTION 'a credit note takes back more than the line has left' USING ERRCODE = 'check_violation';
  END IF;
  RETURN NEW;
END $$;
CREATE TRIGGER within_line BEFORE INSERT ON billing_creditnoteline
  FOR EACH ROW EXECUTE FUNCTION squill_credit_within_line();

CREATE TRIGGER frozen_truncate BEFORE TRUNCATE ON billing_creditnote FOR EACH STATEMENT EXECUTE FUNCTION squill_refuse_change();
CREATE TRIGGER frozen_truncate BEFORE TRUNCATE ON billing_creditnoteline FOR EACH STATEMENT EXECUTE FUNCTION squill_refuse_change();
CREATE TRIGGER frozen_truncate BEFORE TRUNCATE ON billing_creditnotetax FOR EACH STATEMENT EXECUTE FUNCTION squill_refuse_change();
"""
CREDIT_NOTES_BACK = """
DROP TRIGGER frozen_truncate ON billing_creditnotetax;
DROP TRIGGER frozen_truncate ON billing_creditnoteline;
DROP TRIGGER frozen_truncate ON billing_creditnote;
DROP TRIGGER within_line ON billing_creditnoteline;
DROP FUNCTION squill_credit_within_line();
DROP TRIGGER frozen ON billing_creditnotetax;
DROP TRIGGER frozen ON billing_creditnoteline;
DROP FUNCTION squill_freeze_credit_note_part();
DROP TRIGGER sealed ON billing_creditnote;
DROP FUNCTION squill_credit_note_is_sealed();
DROP TRIGGER frozen ON billing_creditnote;
DROP FUNCTION squill_freeze_credit_note();
"""
# Ledgers are only added to; what may move of the row that they belong to is a short list of columns.
LEDGERS = """
CREATE FUNCTION squill_only_columns_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF TG_OP = 'UPDATE' AND to_jsonb(NEW) - TG_ARGV = to_jsonb(OLD) - TG_ARGV THEN
    RETURN NEW;
  END IF;
  RAISE EXCEPTION '% is kept as it is: % refused', TG_TABLE_NAME, TG_OP USING ERRCODE = 'restrict_violation';
END $$;
DROP TRIGGER append_only ON billing_payment;
CREATE TRIGGER kept BEFORE UPDATE OR DELETE ON billing_payment FOR EACH ROW
  EXECUTE FUNCTION squill_only_columns_change('allocated_minor', 'reversed_at', 'reversal_reason');
CREATE TRIGGER kept BEFORE UPDATE OR DELETE ON billing_credit FOR EACH ROW EXECUTE FUNCTION squill_only_columns_change('voided_at');
CREATE TRIGGER kept_truncate BEFORE TRUNCATE ON billing_credit FOR EACH STATEMENT EXECUTE FUNCTION squill_refuse_change();
CREATE TRIGGER append_only BEFORE UPDATE OR DELETE ON billing_creditentry FOR EACH ROW EXECUTE FUNCTION squill_refuse_change();
CREATE TRIGGER append_only_truncate BEFORE TRUNCATE ON billing_creditentry FOR EACH STATEMENT EXECUTE FUNCTION squill_refuse_change();
CREATE TRIGGER append_only BEFORE UPDATE OR DELETE ON billing_paymentallocation
  FOR EACH ROW EXECUTE FUNCTION squill_refuse_change();
CREATE TRIGGER append_only_truncate BEFORE TRUNCATE ON billing_paymentallocation
  FOR EACH STATEMENT EXECUTE FUNCTION squill_refuse_change();
CREATE TRIGGER append_only BEFORE UPDATE OR DELETE ON billing_brandasset FOR EACH ROW EXECUTE FUNCTION squill_refuse_change();
CREATE TRIGGER append_only_truncate BEFORE TRUNCATE ON billing_brandasset FOR EACH STATEMENT EXECUTE FUNCTION squill_refuse_change();
CREATE TRIGGER append_only BEFORE UPDATE OR DELETE ON billing_mailreport FOR EACH ROW EXECUTE FUNCTION squill_refuse_change();
CREATE TRIGGER append_only_truncate BEFORE TRUNCATE ON billing_mailreport FOR EACH STATEMENT EXECUTE FUNCTION squill_refuse_change();

-- A credit never pays more than it is worth. It is locked first, so that two entries see each other.
CREATE FUNCTION squill_credit_covers_entry() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
  worth bigint;
  remaining bigint;
BEGIN
  SELECT amount_minor INTO worth FROM billing_credit WHERE id = NEW.credit_id FOR NO KEY UPDATE;
  SELECT coalesce(sum(amount_minor), 0) + NEW.amount_minor INTO remaining FROM billing_creditentry WHERE credit_id = NEW.credit_id;
  IF remaining < 0 OR remaining > worth THEN
    RAISE EXCEPTION 'credit % would be left with % of %', NEW.credit_id, remaining, worth USING ERRCODE = 'check_violation';
  END IF;
  RETURN NEW;
END $$;
CREATE TRIGGER covered BEFORE INSERT ON billing_creditentry FOR EACH ROW EXECUTE FUNCTION squill_credit_covers_entry();

-- I6: a counter only ever takes the next number.
CREATE FUNCTION squill_counter_takes_next() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF TG_OP = 'UPDATE' AND NEW.last_number IN (OLD.last_number, OLD.last_number + 1)
     AND to_jsonb(NEW) - 'last_number' = to_jsonb(OLD) - 'last_number' THEN
    RETURN NEW;
  END IF;
  RAISE EXCEPTION 'counter % takes the next number or none: % refused', OLD.id, TG_OP USING ERRCODE = 'restrict_violation';
END $$;
CREATE TRIGGER takes_next BEFORE UPDATE OR DELETE ON billing_numbercounter
  FOR EACH ROW EXECUTE FUNCTION squill_counter_takes_next();
CREATE TRIGGER takes_next_truncate BEFORE TRUNCATE ON billing_numbercounter
  FOR EACH STATEMENT EXECUTE FUNCTION squill_refuse_change();
"""
LEDGERS_BACK = """
DROP TRIGGER takes_next_truncate ON billing_numbercounter;
DROP TRIGGER takes_next ON billing_numbercounter;
DROP FUNCTION squill_counter_takes_next();
DROP TRIGGER covered ON billing_creditentry;
DROP FUNCTION squill_credit_covers_entry();
DROP TRIGGER append_only_truncate ON billing_mailreport;
DROP TRIGGER append_only ON billing_mailreport;
DROP TRIGGER append_only_truncate ON billing_brandasset;
DROP TRIGGER append_only ON billing_brandasset;
DROP TRIGGER append_only_truncate ON billing_paymentallocation;
DROP TRIGGER append_only ON billing_paymentallocation;
DROP TRIGGER append_only_truncate ON billing_creditentry;
DROP TRIGGER append_only ON billing_creditentry;
DROP TRIGGER kept_truncate ON billing_credit;
DROP TRIGGER kept ON billing_credit;
DROP TRIGGER kept ON billing_payment;
CREATE TRIGGER append_only BEFORE UPDATE OR DELETE ON billing_payment FOR EACH ROW EXECUTE FUNCTION squill_refuse_change();
DROP FUNCTION squill_only_columns_change();
"""


class Migration(migrations.Migration):
    dependencies = [("billing", "0012_documents_final")]
    operations = [
        migrations.RunSQL(INVOICES, INVOICES_BACK),
        migrations.RunSQL(CREDIT_NOTES, CREDIT_NOTES_BACK),
        migrations.RunSQL(LEDGERS, LEDGERS_BACK),
    ]
