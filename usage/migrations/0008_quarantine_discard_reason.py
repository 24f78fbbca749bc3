from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('usage', '0007_aggregations'),
    ]

    operations = [
        migrations.AddField(
            model_name='quarantinedevent',
            name='discard_reason',
            field=models.CharField(blank=True, db_default='', max_length=500, verbose_name='discarded because'),
        ),
    ]
