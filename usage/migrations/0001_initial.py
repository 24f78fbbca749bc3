
import django.contrib.postgres.fields
from django.db import migrations, models


class Migration(migrations.Migration):

    initial = True

    dependencies = [
    ]

    operations = [
        migrations.CreateModel(
            name='Event',
            fields=[
                ('key', models.UUIDField(primary_key=True, serialize=False)),
                ('occurred_at', models.DateTimeField(verbose_name='occurred at')),
                ('received_at', models.DateTimeField(verbose_name='received at')),
                ('subject', models.TextField(verbose_name='subject')),
                ('event_type', models.TextField(verbose_name='type')),
                ('source', models.TextField(verbose_name='source')),
                ('event_id', models.TextField(verbose_name='id')),
                ('data', models.JSONField(verbose_name='data')),
            ],
            options={
                'verbose_name': 'event',
                'verbose_name_plural': 'events',
                'db_table': 'usage_event',
                'managed': False,
            },
        ),
        migrations.CreateModel(
            name='EventKey',
            fields=[
                ('key', models.UUIDField(primary_key=True, serialize=False)),
                ('content', models.UUIDField()),
            ],
            options={
                'db_table': 'usage_eventkey',
                'managed': False,
            },
        ),
        migrations.CreateModel(
            name='Rollup',
            fields=[
                ('pk', models.CompositePrimaryKey('customer_id', 'meter_id', 'day', 'dimensions_key', blank=True, editable=False, primary_key=True, serialize=False)),
                ('day', models.DateField(verbose_name='day')),
                ('dimensions_key', models.UUIDField()),
                ('dimensions', models.JSONField(verbose_name='dimensions')),
                ('event_count', models.BigIntegerField(verbose_name='events')),
                ('value_sum', models.DecimalField(decimal_places=12, max_digits=38, verbose_name='sum')),
                ('value_max', models.DecimalField(decimal_places=12, max_digits=38, verbose_name='largest')),
            ],
            options={
                'verbose_name': 'daily usage',
                'verbose_name_plural': 'daily usage',
                'db_table': 'usage_rollup',
                'managed': False,
            },
        ),
        migrations.CreateModel(
            name='Meter',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('code', models.CharField(max_length=64, unique=True, verbose_name='code')),
                ('name', models.CharField(max_length=255, verbose_name='name')),
                ('event_type', models.CharField(db_index=True, max_length=255, verbose_name='event type')),
                ('aggregation', models.CharField(choices=[('count', 'count of events'), ('sum', 'sum of values'), ('max', 'largest value')], max_length=16, verbose_name='aggregation')),
                ('value_path', models.CharField(blank=True, max_length=255, verbose_name='value')),
                ('dimensions', django.contrib.postgres.fields.ArrayField(base_field=models.CharField(max_length=64), blank=True, default=list, size=None, verbose_name='dimensions')),
                ('unit', models.CharField(blank=True, help_text='Printed on invoices, such as GB or requests.', max_length=32, verbose_name='unit')),
                ('created_at', models.DateTimeField(verbose_name='created at')),
            ],
            options={
                'verbose_name': 'meter',
                'verbose_name_plural': 'meters',
                'constraints': [models.CheckConstraint(condition=models.Q(models.Q(('aggregation', 'count'), ('value_path', '')), models.Q(models.Q(('aggregation', 'count'), _negated=True), models.Q(('value_path', ''), _negated=True)), _connector='OR'), name='meter_value_unless_count'), models.CheckConstraint(condition=models.Q(models.Q(('code', ''), _negated=True), models.Q(('event_type', ''), _negated=True)), name='meter_code_and_type_not_empty')],
            },
        ),
        migrations.CreateModel(
            name='QuarantinedEvent',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('key', models.UUIDField()),
                ('content', models.UUIDField()),
                ('occurred_at', models.DateTimeField(verbose_name='occurred at')),
                ('received_at', models.DateTimeField(verbose_name='received at')),
                ('subject', models.TextField(verbose_name='subject')),
                ('event_type', models.TextField(verbose_name='type')),
                ('source', models.TextField(verbose_name='source')),
                ('event_id', models.TextField(verbose_name='id')),
                ('data', models.JSONField(verbose_name='data')),
                ('reason', models.CharField(choices=[('unknown_subject', 'unknown subject'), ('unknown_type', 'no meter for this type'), ('unusable_value', 'unusable value'), ('conflict', 'same id, other content')], max_length=32, verbose_name='reason')),
                ('detail', models.TextField(blank=True, verbose_name='detail')),
                ('status', models.CharField(choices=[('waiting', 'waiting'), ('replayed', 'replayed'), ('discarded', 'discarded')], default='waiting', max_length=16, verbose_name='status')),
                ('resolved_at', models.DateTimeField(blank=True, null=True, verbose_name='resolved at')),
            ],
            options={
                'verbose_name': 'quarantined event',
                'verbose_name_plural': 'quarantine',
                'indexes': [models.Index(condition=models.Q(('status', 'waiting')), fields=['reason', 'id'], name='quarantine_waiting')],
                'constraints': [models.UniqueConstraint(fields=('key', 'content'), name='quarantine_once_per_content')],
            },
        ),
    ]
