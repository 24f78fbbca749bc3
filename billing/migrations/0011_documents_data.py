from django.db import migrations

# Foreign keys are checked before a trigger is switched on again: a table cannot be altered while their checks are pending.
# A series becomes a pattern with one counter that never starts anew; final invoices only change the way they name it.
NUMBERS = """
UPDATE billing_numberseries SET pattern = prefix || '-{number:06}';
INSERT INTO billing_numbercounter (series_id, year, last_number) SELECT id, 0, last_number FROM billing_numberseries;
ALTER TABLE billing_invoice DISABLE TRIGGER frozen;
UPDATE billing_invoice i SET counter_id = c.id FROM billing_numbercounter c WHERE c.series_id = i.series_id;
SET CONSTRAINTS ALL IMMEDIATE;
ALTER TABLE billing_invoice ENABLE TRIGGER frozen;
"""
# A payment was of one invoice, and all of it: that is its one allocation.
PAYMENTS = """
ALTER TABLE billing_payment DISABLE TRIGGER append_only;
UPDATE billing_payment p SET customer_id = i.customer_id, currency = i.currency, allocated_minor = p.amount_minor,
  public_id = gen_random_uuid()
FROM billing_invoice i WHERE i.id = p.invoice_id;
SET CONSTRAINTS ALL IMMEDIATE;
ALTER TABLE billing_payment ENABLE TRIGGER append_only;
INSERT INTO billing_paymentallocation (payment_id, invoice_id, amount_minor, recorded_at, recorded_by)
SELECT id, invoice_id, amount_minor, recorded_at, recorded_by FROM billing_payment;
"""


class Migration(migrations.Migration):
    dependencies = [("billing", "0010_documents")]
    operations = [migrations.RunSQL(NUMBERS, migrations.RunSQL.noop), migrations.RunSQL(PAYMENTS, migrations.RunSQL.noop)]
