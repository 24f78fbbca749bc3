import django.contrib.postgres.fields
from django.db import migrations, models


# What the events of a month added up to when it was put away: reconcile goes on from here once they are gone, so it never
# changes. Grain: month, customer, meter, local day, dimension values; a local day may reach into two months. Read whole, or for
# a day of one customer.
FORWARD = """
CREATE TABLE usage_putawayrollup (
  month date NOT NULL,
  customer_id bigint NOT NULL,
  meter_id bigint NOT NULL,
  day date NOT NULL,
  dimensions jsonb NOT NULL,
  item text,
  event_count bigint NOT NULL CHECK (event_count > 0),
  value_sum numeric,
  value_min numeric,
  value_max numeric,
  value_weight numeric,
  latest_at timestamptz,
  latest_event text COLLATE "C",
  value_latest numeric
);
CREATE INDEX usage_putawayrollup_by_customer ON usage_putawayrollup (customer_id, day);
CREATE TRIGGER append_only BEFORE UPDATE OR DELETE ON usage_putawayrollup
  FOR EACH ROW EXECUTE FUNCTION squill_refuse_change();
CREATE TRIGGER append_only_truncate BEFORE TRUNCATE ON usage_putawayrollup
  FOR EACH STATEMENT EXECUTE FUNCTION squill_refuse_change();
"""
REVERSE = "DROP TABLE usage_putawayrollup;"


class Migration(migrations.Migration):

    dependencies = [
        ('usage', '0008_quarantine_discard_reason'),
    ]

    operations = [
        migrations.CreateModel(
            name='PutAwayMonth',
            fields=[
                ('month', models.DateField(primary_key=True, serialize=False, verbose_name='month')),
                ('put_away_at', models.DateTimeField(verbose_name='put away at')),
                ('meter_ids', django.contrib.postgres.fields.ArrayField(base_field=models.BigIntegerField(), size=None)),
                ('counted_at', models.DateTimeField(null=True, verbose_name='counted at')),
                ('event_count', models.BigIntegerField(null=True, verbose_name='events')),
            ],
            options={
                'verbose_name': 'month put away',
                'verbose_name_plural': 'months put away',
                'constraints': [models.CheckConstraint(condition=models.Q(('month__day', 1)), name='put_away_month_begins_on_the_first'), models.CheckConstraint(condition=models.Q(models.Q(('counted_at', None), ('event_count', None)), models.Q(('counted_at__isnull', False), ('event_count__isnull', False)), _connector='OR'), name='put_away_month_counted_whole')],
            },
        ),
        migrations.RunSQL(FORWARD, REVERSE),
    ]
