import billing.models.subscription
import django.contrib.postgres.constraints
import django.contrib.postgres.fields.ranges
import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("billing", "0008_lifecycle_data"),
    ]
    operations = [
        migrations.DeleteModel(
            name="SubscriptionMeter",
        ),
        migrations.RemoveField(
            model_name="plan",
            name="currency",
        ),
        migrations.AddConstraint(
            model_name="billingperiod",
            constraint=models.CheckConstraint(
                condition=models.Q(("whole_end_day__gte", models.F("end_day")), ("whole_first_day__lte", models.F("first_day"))),
                name="billing_period_within_whole",
            ),
        ),
        migrations.AddConstraint(
            model_name="planversion",
            constraint=models.CheckConstraint(
                condition=models.Q(("currency__regex", "^[A-Z]{3}$")), name="plan_version_currency_is_a_code"
            ),
        ),
        migrations.AddConstraint(
            model_name="subscriptionchange",
            constraint=models.UniqueConstraint(
                condition=models.Q(("kind", "start")), fields=("subscription",), name="subscription_starts_once"
            ),
        ),
        migrations.AddConstraint(
            model_name="subscriptionchange",
            constraint=models.UniqueConstraint(
                condition=models.Q(("kind", "end"), ("undone_at", None)), fields=("subscription",), name="subscription_ends_once"
            ),
        ),
        migrations.AddConstraint(
            model_name="subscriptionchange",
            constraint=models.CheckConstraint(
                condition=models.Q(("kind__in", ["start", "plan", "add_on"]), ("plan_version", None), _connector="XOR"),
                name="subscription_change_names_version",
            ),
        ),
        migrations.AddConstraint(
            model_name="subscriptionchange",
            constraint=models.CheckConstraint(
                condition=models.Q(("kind__in", ["quantity", "add_on"]), ("quantity", None), _connector="XOR"),
                name="subscription_change_names_quantity",
            ),
        ),
        migrations.AddConstraint(
            model_name="subscriptionchange",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("quantity", None), models.Q(("quantity__gte", 0), ("quantity__lt", 1000000000000000)), _connector="OR"
                ),
                name="subscription_change_quantity_finite",
            ),
        ),
        migrations.AddConstraint(
            model_name="subscriptionchange",
            constraint=models.CheckConstraint(
                condition=models.Q(("kind", "quantity"), ("charge_code", ""), _connector="XOR"),
                name="subscription_change_names_charge",
            ),
        ),
        migrations.AddConstraint(
            model_name="subscriptionchange",
            constraint=models.CheckConstraint(
                condition=models.Q(("kind", "add_on"), ("add_on_code", ""), _connector="XOR"),
                name="subscription_change_names_add_on",
            ),
        ),
        migrations.AddConstraint(
            model_name="subscriptionclaim",
            constraint=models.CheckConstraint(
                condition=models.Q(("end_day", None), ("end_day__gt", models.F("first_day")), _connector="OR"), name="claim_not_empty"
            ),
        ),
        migrations.AddConstraint(
            model_name="subscriptionclaim",
            constraint=models.CheckConstraint(
                condition=models.Q(("plan", None), ("meter", None), _connector="XOR"), name="claim_on_plan_or_meter"
            ),
        ),
        migrations.AddConstraint(
            model_name="subscriptionclaim",
            constraint=django.contrib.postgres.constraints.ExclusionConstraint(
                expressions=[
                    ("customer", "="),
                    ("plan", "="),
                    (
                        billing.models.subscription.DayRange(
                            "first_day", "end_day", django.contrib.postgres.fields.ranges.RangeBoundary()
                        ),
                        "&&",
                    ),
                ],
                name="subscription_plan_once_at_a_time",
            ),
        ),
        migrations.AddConstraint(
            model_name="subscriptionclaim",
            constraint=django.contrib.postgres.constraints.ExclusionConstraint(
                expressions=[
                    ("customer", "="),
                    ("meter", "="),
                    (
                        billing.models.subscription.DayRange(
                            "first_day", "end_day", django.contrib.postgres.fields.ranges.RangeBoundary()
                        ),
                        "&&",
                    ),
                ],
                name="meter_priced_once_at_a_time",
            ),
        ),
        migrations.AlterField(
            model_name="billingperiod",
            name="whole_first_day",
            field=models.DateField(verbose_name="first day of the whole period"),
        ),
        migrations.AlterField(
            model_name="billingperiod",
            name="whole_end_day",
            field=models.DateField(verbose_name="end day of the whole period"),
        ),
        migrations.AlterField(
            model_name="planversion",
            name="currency",
            field=models.CharField(max_length=3, verbose_name="currency"),
        ),
    ]
