import billing.models.subscription
import django.contrib.postgres.constraints
import django.contrib.postgres.fields.ranges
import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("billing", "0006_zone_may_change_with_days"),
        ("customers", "0003_backfill_scope"),
        ("usage", "0009_put_away_months"),
    ]
    operations = [
        migrations.CreateModel(
            name="SubscriptionChange",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "kind",
                    models.CharField(
                        choices=[
                            ("start", "start"),
                            ("plan", "change of plan"),
                            ("quantity", "change of quantity"),
                            ("add_on", "add-on"),
                            ("pause", "pause"),
                            ("resume", "resumption"),
                            ("end", "end"),
                        ],
                        max_length=16,
                        verbose_name="kind",
                    ),
                ),
                ("effective_on", models.DateField(verbose_name="from")),
                ("charge_code", models.CharField(blank=True, max_length=64, verbose_name="charge")),
                ("add_on_code", models.CharField(blank=True, max_length=100, verbose_name="add-on")),
                (
                    "quantity",
                    models.DecimalField(blank=True, decimal_places=12, max_digits=30, null=True, verbose_name="quantity"),
                ),
                ("trial_ends_on", models.DateField(blank=True, null=True, verbose_name="trial ends on")),
                ("actor_kind", models.CharField(max_length=16, verbose_name="kind of actor")),
                ("actor_label", models.CharField(max_length=254, verbose_name="actor")),
                ("recorded_at", models.DateTimeField(verbose_name="recorded at")),
                ("undone_at", models.DateTimeField(blank=True, null=True, verbose_name="undone at")),
            ],
            options={
                "verbose_name": "change of a subscription",
                "verbose_name_plural": "changes of subscriptions",
            },
        ),
        migrations.CreateModel(
            name="SubscriptionClaim",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("first_day", models.DateField(verbose_name="first day")),
                ("end_day", models.DateField(blank=True, null=True, verbose_name="end day")),
            ],
            options={
                "verbose_name": "claim of a subscription",
                "verbose_name_plural": "claims of subscriptions",
            },
        ),
        migrations.RemoveConstraint(
            model_name="billingperiod",
            name="billing_period_index_unique",
        ),
        migrations.RemoveConstraint(
            model_name="billingperiod",
            name="billing_period_start_unique",
        ),
        migrations.RemoveConstraint(
            model_name="billingperiod",
            name="billing_period_no_overlap",
        ),
        migrations.RemoveConstraint(
            model_name="plan",
            name="plan_currency_is_a_code",
        ),
        migrations.RemoveConstraint(
            model_name="planversion",
            name="plan_version_one_draft",
        ),
        migrations.RemoveConstraint(
            model_name="planversion",
            name="plan_version_one_published",
        ),
        migrations.RemoveConstraint(
            model_name="subscription",
            name="subscription_plan_once_at_a_time",
        ),
        migrations.RemoveIndex(
            model_name="billingperiod",
            name="billing_period_advance_due",
        ),
        migrations.RemoveIndex(
            model_name="billingperiod",
            name="billing_period_arrears_due",
        ),
        migrations.AddField(
            model_name="billingperiod",
            name="kind",
            field=models.CharField(
                choices=[("regular", "regular"), ("trial", "trial"), ("paused", "paused")],
                default="regular",
                max_length=16,
                verbose_name="kind",
            ),
        ),
        migrations.AddField(
            model_name="billingperiod",
            name="superseded_at",
            field=models.DateTimeField(blank=True, null=True, verbose_name="superseded at"),
        ),
        migrations.AddField(
            model_name="billingperiod",
            name="whole_end_day",
            field=models.DateField(null=True, verbose_name="end day of the whole period"),
        ),
        migrations.AddField(
            model_name="billingperiod",
            name="whole_first_day",
            field=models.DateField(null=True, verbose_name="first day of the whole period"),
        ),
        migrations.AddField(
            model_name="charge",
            name="default_quantity",
            field=models.DecimalField(blank=True, decimal_places=12, max_digits=30, null=True, verbose_name="default quantity"),
        ),
        migrations.AddField(
            model_name="plan",
            name="kind",
            field=models.CharField(
                choices=[("plan", "plan"), ("add_on", "add-on")], default="plan", max_length=16, verbose_name="kind"
            ),
        ),
        migrations.AddField(
            model_name="planversion",
            name="billing_day",
            field=models.PositiveSmallIntegerField(default=1, verbose_name="billing day"),
        ),
        migrations.AddField(
            model_name="planversion",
            name="currency",
            field=models.CharField(max_length=3, null=True, verbose_name="currency"),
        ),
        migrations.AddField(
            model_name="planversion",
            name="customer",
            field=models.ForeignKey(
                blank=True,
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="own_versions",
                to="customers.customer",
                verbose_name="only for",
            ),
        ),
        migrations.AddField(
            model_name="planversion",
            name="derived_from",
            field=models.ForeignKey(
                blank=True,
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="+",
                to="billing.planversion",
                verbose_name="derived from",
            ),
        ),
        migrations.AddField(
            model_name="planversion",
            name="interval_count",
            field=models.PositiveSmallIntegerField(default=1, verbose_name="number of intervals"),
        ),
        migrations.AddField(
            model_name="planversion",
            name="trial_days",
            field=models.PositiveSmallIntegerField(default=0, verbose_name="days of trial"),
        ),
        migrations.AlterField(
            model_name="invoiceline",
            name="charge_code",
            field=models.CharField(max_length=200, verbose_name="charge"),
        ),
        migrations.AlterField(
            model_name="planversion",
            name="interval",
            field=models.CharField(
                choices=[
                    ("weekly", "weekly"),
                    ("monthly", "monthly"),
                    ("quarterly", "quarterly"),
                    ("yearly", "yearly"),
                    ("once", "once"),
                ],
                default="monthly",
                max_length=16,
                verbose_name="interval",
            ),
        ),
        migrations.AddIndex(
            model_name="billingperiod",
            index=models.Index(
                condition=models.Q(("advance_billed_at__isnull", True), ("bills_in_advance", True), ("superseded_at", None)),
                fields=["starts_at"],
                name="billing_period_advance_due",
            ),
        ),
        migrations.AddIndex(
            model_name="billingperiod",
            index=models.Index(
                condition=models.Q(("arrears_billed_at__isnull", True), ("superseded_at", None)),
                fields=["ends_at"],
                name="billing_period_arrears_due",
            ),
        ),
        migrations.AddConstraint(
            model_name="billingperiod",
            constraint=models.UniqueConstraint(
                condition=models.Q(("superseded_at", None)), fields=("subscription", "index"), name="billing_period_index_unique"
            ),
        ),
        migrations.AddConstraint(
            model_name="billingperiod",
            constraint=models.UniqueConstraint(
                condition=models.Q(("superseded_at", None)),
                fields=("subscription", "starts_at"),
                name="billing_period_start_unique",
            ),
        ),
        migrations.AddConstraint(
            model_name="billingperiod",
            constraint=django.contrib.postgres.constraints.ExclusionConstraint(
                condition=models.Q(("superseded_at", None)),
                expressions=[
                    ("subscription", "="),
                    (
                        billing.models.subscription.TsTzRange(
                            "starts_at", "ends_at", django.contrib.postgres.fields.ranges.RangeBoundary()
                        ),
                        "&&",
                    ),
                ],
                name="billing_period_no_overlap",
            ),
        ),
        migrations.AddConstraint(
            model_name="billingperiod",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("superseded_at", None), models.Q(("advance_billed_at", None), ("arrears_billed_at", None)), _connector="OR"
                ),
                name="billing_period_superseded_unbilled",
            ),
        ),
        migrations.AddConstraint(
            model_name="charge",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("default_quantity__isnull", True),
                    models.Q(("default_quantity__gte", 0), ("default_quantity__lt", 1000000000000000), ("meter__isnull", True)),
                    _connector="OR",
                ),
                name="charge_quantity_finite_and_without_meter",
            ),
        ),
        migrations.AddConstraint(
            model_name="planversion",
            constraint=models.UniqueConstraint(
                condition=models.Q(("status", "draft")),
                fields=("plan", "currency", "customer"),
                name="plan_version_one_draft",
                nulls_distinct=False,
            ),
        ),
        migrations.AddConstraint(
            model_name="planversion",
            constraint=models.UniqueConstraint(
                condition=models.Q(("status", "published")),
                fields=("plan", "currency", "customer"),
                name="plan_version_one_published",
                nulls_distinct=False,
            ),
        ),
        migrations.AddConstraint(
            model_name="planversion",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("billing_day__gte", 1), ("billing_day__lte", 31), ("interval_count__gte", 1), ("interval_count__lte", 100)
                ),
                name="plan_version_cadence_in_bounds",
            ),
        ),
        migrations.AddField(
            model_name="subscriptionchange",
            name="plan_version",
            field=models.ForeignKey(
                blank=True,
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="+",
                to="billing.planversion",
                verbose_name="plan version",
            ),
        ),
        migrations.AddField(
            model_name="subscriptionchange",
            name="subscription",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.PROTECT,
                related_name="changes",
                to="billing.subscription",
                verbose_name="subscription",
            ),
        ),
        migrations.AddField(
            model_name="subscriptionclaim",
            name="customer",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.PROTECT, related_name="+", to="customers.customer", verbose_name="customer"
            ),
        ),
        migrations.AddField(
            model_name="subscriptionclaim",
            name="meter",
            field=models.ForeignKey(
                null=True, on_delete=django.db.models.deletion.PROTECT, related_name="+", to="usage.meter", verbose_name="meter"
            ),
        ),
        migrations.AddField(
            model_name="subscriptionclaim",
            name="plan",
            field=models.ForeignKey(
                null=True, on_delete=django.db.models.deletion.PROTECT, related_name="+", to="billing.plan", verbose_name="plan"
            ),
        ),
        migrations.AddField(
            model_name="subscriptionclaim",
            name="subscription",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.CASCADE,
                related_name="claims",
                to="billing.subscription",
                verbose_name="subscription",
            ),
        ),
    ]
