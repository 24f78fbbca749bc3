import django.db.models.deletion
from django.db import migrations, models


# The record of a correction is only ever added (I9). One event is found by its key, as the API names it. The index holds four
# bytes of it: 28 bytes an event, against 43 for the whole key and 36 for a hash index (measured, 700,000 random keys); which of
# the few events with one hash is meant, the row itself says.
FORWARD = """
CREATE TRIGGER append_only BEFORE UPDATE OR DELETE ON usage_correction
  FOR EACH ROW EXECUTE FUNCTION squill_refuse_change();
CREATE TRIGGER append_only_truncate BEFORE TRUNCATE ON usage_correction
  FOR EACH STATEMENT EXECUTE FUNCTION squill_refuse_change();
CREATE INDEX usage_event_by_key ON usage_event (uuid_hash(key));
"""
REVERSE = """
DROP INDEX usage_event_by_key;
DROP TRIGGER append_only_truncate ON usage_correction;
DROP TRIGGER append_only ON usage_correction;
"""


class Migration(migrations.Migration):

    dependencies = [
        ('customers', '0002_append_only'),
        ('usage', '0004_customer_zone_fixed_with_usage'),
    ]

    operations = [
        migrations.CreateModel(
            name='Correction',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('event_key', models.UUIDField(editable=False, unique=True)),
                ('source', models.TextField(verbose_name='source')),
                ('event_id', models.TextField(verbose_name='id')),
                ('event_type', models.TextField(verbose_name='type')),
                ('subject', models.TextField(verbose_name='subject')),
                ('occurred_at', models.DateTimeField(verbose_name='occurred at')),
                ('replacement_key', models.UUIDField(editable=False, null=True, unique=True)),
                ('replacement_source', models.TextField(blank=True, verbose_name='source of the replacement')),
                ('replacement_id', models.TextField(blank=True, verbose_name='id of the replacement')),
                ('reason', models.CharField(max_length=500, verbose_name='reason')),
                ('actor_kind', models.CharField(max_length=16, verbose_name='kind of actor')),
                ('actor_label', models.CharField(max_length=254, verbose_name='actor')),
                ('corrected_at', models.DateTimeField(verbose_name='corrected at')),
                ('batch', models.CharField(blank=True, max_length=32, verbose_name='bulk void')),
                ('customer', models.ForeignKey(db_constraint=False, db_index=False, on_delete=django.db.models.deletion.DO_NOTHING, related_name='+', to='customers.customer', verbose_name='customer')),
            ],
            options={
                'verbose_name': 'correction',
                'verbose_name_plural': 'corrections',
                'indexes': [models.Index(fields=['customer', 'occurred_at'], name='correction_by_customer')],
                'constraints': [models.CheckConstraint(condition=models.Q(('reason', ''), _negated=True), name='correction_has_a_reason'), models.CheckConstraint(condition=models.Q(models.Q(('replacement_id', ''), ('replacement_key', None), ('replacement_source', '')), models.Q(('replacement_key__isnull', False), models.Q(('replacement_source', ''), _negated=True), models.Q(('replacement_id', ''), _negated=True)), _connector='OR'), name='correction_replacement_whole'), models.CheckConstraint(condition=models.Q(('replacement_key', None), models.Q(('replacement_key', models.F('event_key')), _negated=True), _connector='OR'), name='correction_not_by_itself')],
            },
        ),
        migrations.RunSQL(FORWARD, REVERSE),
    ]
