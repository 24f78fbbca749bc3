from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('customers', '0003_backfill_scope'),
    ]

    operations = [
        migrations.RemoveConstraint(
            model_name='customer',
            name='customer_tax_rate_0_to_100',
        ),
        migrations.AlterField(
            model_name='customer',
            name='tax_rate_pct',
            field=models.DecimalField(blank=True, decimal_places=4, help_text='Empty: the tax rules decide.', max_digits=7, null=True, verbose_name='fixed tax rate in percent'),
        ),
        migrations.AddConstraint(
            model_name='customer',
            constraint=models.CheckConstraint(condition=models.Q(('tax_rate_pct__isnull', True), models.Q(('tax_rate_pct__gte', 0), ('tax_rate_pct__lte', 100)), _connector='OR'), name='customer_tax_rate_0_to_100'),
        ),
    ]
