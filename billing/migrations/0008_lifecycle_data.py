from typing import Any

from django.db import migrations

from billing.pricing.period import Cadence, full_period_days

# What published versions say does not change by it: the currency only moves from the plan to its versions.
CURRENCIES = """
ALTER TABLE billing_planversion DISABLE TRIGGER frozen;
UPDATE billing_planversion v SET currency = p.currency FROM billing_plan p WHERE p.id = v.plan_id;
ALTER TABLE billing_planversion ENABLE TRIGGER frozen;
"""
CLAIMS = """
INSERT INTO billing_subscriptionclaim (subscription_id, customer_id, plan_id, meter_id, first_day, end_day)
SELECT id, customer_id, plan_id, NULL, started_on, ended_on FROM billing_subscription
UNION ALL
SELECT m.subscription_id, m.customer_id, NULL, m.meter_id, s.started_on, s.ended_on
FROM billing_subscriptionmeter m JOIN billing_subscription s ON s.id = m.subscription_id;
"""
CHANGES = """
INSERT INTO billing_subscriptionchange
  (subscription_id, kind, effective_on, plan_version_id, charge_code, add_on_code, actor_kind, actor_label, recorded_at)
SELECT id, 'start', started_on, plan_version_id, '', '', 'system', 'migration', created_at FROM billing_subscription
UNION ALL
SELECT id, 'end', ended_on, NULL, '', '', 'system', 'migration', created_at FROM billing_subscription WHERE ended_on IS NOT NULL;
"""


def fill_periods(apps: Any, schema_editor: Any) -> None:
    """Write the whole period of each, which was worked out from its index until now; supersede those after an early end."""
    BillingPeriod = apps.get_model("billing", "BillingPeriod")
    for period in BillingPeriod.objects.select_related("subscription", "plan_version").iterator(2000):
        version, subscription = period.plan_version, period.subscription
        cadence = Cadence(interval=version.interval, anchor=version.anchor)
        first, end = full_period_days(cadence, started_on=subscription.started_on, index=period.index)
        after_end = subscription.ends_at is not None and period.starts_at >= subscription.ends_at
        BillingPeriod.objects.filter(pk=period.pk).update(
            whole_first_day=first, whole_end_day=end, superseded_at=subscription.ends_at if after_end else None
        )


class Migration(migrations.Migration):
    dependencies = [("billing", "0007_lifecycle")]
    # The way back leaves the rows as they are: what a plan cost in a second currency has no place there.
    operations = [
        migrations.RunSQL(CURRENCIES, migrations.RunSQL.noop),
        migrations.RunSQL(CLAIMS, migrations.RunSQL.noop),
        migrations.RunSQL(CHANGES, migrations.RunSQL.noop),
        migrations.RunPython(fill_periods, migrations.RunPython.noop),
    ]
