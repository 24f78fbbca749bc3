import django.db.models.deletion
import django.db.models.expressions
import uuid
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('billing', '0011_documents_data'),
    ]

    operations = [
        migrations.RemoveField(
            model_name='invoice',
            name='series',
        ),
        migrations.RemoveField(
            model_name='numberseries',
            name='last_number',
        ),
        migrations.RemoveField(
            model_name='numberseries',
            name='prefix',
        ),
        migrations.AlterField(
            model_name='payment',
            name='currency',
            field=models.CharField(max_length=3, verbose_name='currency'),
        ),
        migrations.AlterField(
            model_name='payment',
            name='customer',
            field=models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='payments', to='customers.customer', verbose_name='customer'),
        ),
        migrations.AlterField(
            model_name='payment',
            name='public_id',
            field=models.UUIDField(default=uuid.uuid4, editable=False, unique=True, verbose_name='id'),
        ),
        migrations.AddIndex(
            model_name='payment',
            index=models.Index(fields=['customer', '-received_on'], name='payment_by_customer'),
        ),
        migrations.AddConstraint(
            model_name='invoiceline',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('billing_period__isnull', True), ('group', 'item')), models.Q(models.Q(('group', 'item'), _negated=True), ('billing_period__isnull', False)), _connector='OR'), name='invoice_line_of_a_period_or_item'),
        ),
        migrations.AddConstraint(
            model_name='invoicetax',
            constraint=models.UniqueConstraint(fields=('invoice', 'category', 'rate_pct'), name='invoice_tax_once_per_category_and_rate'),
        ),
        migrations.AddConstraint(
            model_name='numberseries',
            constraint=models.UniqueConstraint(fields=('pattern',), name='number_series_pattern_unique'),
        ),
        migrations.AddConstraint(
            model_name='numberseries',
            constraint=models.CheckConstraint(condition=models.Q(('pattern__regex', '^[^{}]*(\\{year\\}[^{}]*)?\\{number(:0[1-9])?\\}[^{}]*$')), name='number_series_pattern_has_a_number'),
        ),
        migrations.AddConstraint(
            model_name='numberseries',
            constraint=models.CheckConstraint(condition=models.Q(('resets_yearly', False), ('pattern__contains', '{year}'), _connector='OR'), name='number_series_year_where_it_resets'),
        ),
        migrations.AddConstraint(
            model_name='payment',
            constraint=models.UniqueConstraint(condition=models.Q(('invoice__isnull', True)), fields=('customer', 'reference'), name='payment_reference_once_per_customer'),
        ),
        migrations.AddConstraint(
            model_name='payment',
            constraint=models.CheckConstraint(condition=models.Q(('allocated_minor__gte', 0), ('allocated_minor__lte', models.F('amount_minor'))), name='payment_allocated_within_amount'),
        ),
        migrations.AddConstraint(
            model_name='payment',
            constraint=models.CheckConstraint(condition=models.Q(('reversed_at__isnull', True), ('allocated_minor', 0), _connector='OR'), name='payment_reversed_pays_nothing'),
        ),
        migrations.AddConstraint(
            model_name='delivery',
            constraint=models.UniqueConstraint(fields=('invoice', 'credit_note', 'payment', 'kind', 'occasion', 'recipient'), name='delivery_once_per_recipient', nulls_distinct=False),
        ),
        migrations.AddConstraint(
            model_name='delivery',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('credit_note__isnull', True), ('invoice__isnull', False), ('kind__in', ['invoice', 'reminder']), ('payment__isnull', True)), models.Q(('credit_note__isnull', False), ('invoice__isnull', True), ('kind', 'credit_note'), ('payment__isnull', True)), models.Q(('credit_note__isnull', True), ('invoice__isnull', True), ('kind', 'receipt'), ('payment__isnull', False)), _connector='OR'), name='delivery_about_one_thing'),
        ),
        migrations.AddConstraint(
            model_name='invoice',
            constraint=models.UniqueConstraint(fields=('counter', 'sequence'), name='invoice_sequence_unique_in_counter'),
        ),
        migrations.AddConstraint(
            model_name='invoice',
            constraint=models.CheckConstraint(condition=models.Q(('credited_minor__gte', 0), ('credits_minor__gte', 0), ('discount_minor__gte', 0), ('due_minor__gte', 0), ('paid_minor__gte', 0)), name='invoice_amounts_not_negative'),
        ),
        migrations.AddConstraint(
            model_name='invoice',
            constraint=models.CheckConstraint(condition=models.Q(('paid_minor__lte', django.db.models.expressions.CombinedExpression(models.F('due_minor'), '-', models.F('credited_minor')))), name='invoice_settled_up_to_what_is_due'),
        ),
        migrations.AddConstraint(
            model_name='invoice',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('boundary_at__isnull', True), ('kind', 'one_off'), ('subscription__isnull', True)), models.Q(('boundary_at__isnull', False), ('kind', 'invoice'), ('subscription__isnull', False)), _connector='OR'), name='invoice_of_a_subscription_or_one_off'),
        ),
        migrations.AddConstraint(
            model_name='invoice',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('counter__isnull', True), ('finalized_at__isnull', True), ('number__isnull', True), ('sequence__isnull', True), ('status', 'draft')), models.Q(models.Q(('status', 'draft'), _negated=True), ('counter__isnull', False), ('finalized_at__isnull', False), ('number__isnull', False), ('sequence__isnull', False)), _connector='OR'), name='invoice_numbered_when_final'),
        ),
        migrations.AddConstraint(
            model_name='document',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('credit_note__isnull', True), ('invoice__isnull', False), ('payment__isnull', True)), models.Q(('credit_note__isnull', False), ('invoice__isnull', True), ('payment__isnull', True)), models.Q(('credit_note__isnull', True), ('invoice__isnull', True), ('payment__isnull', False)), _connector='OR'), name='document_of_one_thing'),
        ),
    ]
