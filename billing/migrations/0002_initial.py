
import billing.models.subscription
import django.contrib.postgres.constraints
import django.contrib.postgres.fields.ranges
import django.db.models.deletion
import django.db.models.expressions
import uuid
from django.db import migrations, models


class Migration(migrations.Migration):

    initial = True

    dependencies = [
        ('billing', '0001_extensions'),
        ('customers', '0001_initial'),
        ('usage', '0001_initial'),
    ]

    operations = [
        migrations.CreateModel(
            name='BillingRun',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('as_of', models.DateTimeField(verbose_name='as of')),
                ('finalize', models.BooleanField(default=False, verbose_name='finalises')),
                ('started_at', models.DateTimeField(verbose_name='started at')),
                ('finished_at', models.DateTimeField(blank=True, null=True, verbose_name='finished at')),
                ('drafted_count', models.PositiveIntegerField(default=0, verbose_name='drafted')),
                ('finalized_count', models.PositiveIntegerField(default=0, verbose_name='finalised')),
                ('failed_count', models.PositiveIntegerField(default=0, verbose_name='failed')),
                ('parked_count', models.PositiveIntegerField(default=0, verbose_name='parked')),
            ],
            options={
                'verbose_name': 'billing run',
                'verbose_name_plural': 'billing runs',
            },
        ),
        migrations.CreateModel(
            name='BillingEntity',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('code', models.SlugField(max_length=32, unique=True, verbose_name='code')),
                ('name', models.CharField(max_length=255, verbose_name='name')),
                ('legal_name', models.CharField(max_length=255, verbose_name='legal name')),
                ('address_line1', models.CharField(blank=True, max_length=255, verbose_name='address')),
                ('address_line2', models.CharField(blank=True, max_length=255, verbose_name='address, second line')),
                ('postal_code', models.CharField(blank=True, max_length=32, verbose_name='postal code')),
                ('city', models.CharField(blank=True, max_length=128, verbose_name='city')),
                ('country', models.CharField(blank=True, max_length=2, verbose_name='country')),
                ('tax_id', models.CharField(blank=True, max_length=64, verbose_name='tax id')),
                ('email', models.EmailField(blank=True, help_text='Where customers answer to.', max_length=254, verbose_name='e-mail')),
                ('bank_name', models.CharField(blank=True, max_length=128, verbose_name='bank')),
                ('iban', models.CharField(blank=True, max_length=34, verbose_name='IBAN')),
                ('bic', models.CharField(blank=True, max_length=11, verbose_name='BIC')),
                ('timezone', models.CharField(default='UTC', max_length=64, verbose_name='time zone')),
                ('brand_color', models.CharField(default='#3346a8', max_length=7, verbose_name='colour')),
                ('invoice_footer', models.CharField(blank=True, max_length=500, verbose_name='invoice footer')),
                ('is_default', models.BooleanField(default=False, verbose_name='default')),
            ],
            options={
                'verbose_name': 'billing entity',
                'verbose_name_plural': 'billing entities',
                'constraints': [models.UniqueConstraint(condition=models.Q(('is_default', True)), fields=('is_default',), name='billing_entity_one_default'), models.CheckConstraint(condition=models.Q(('brand_color__regex', '^#[0-9a-fA-F]{6}$')), name='billing_entity_color_is_hex')],
            },
        ),
        migrations.CreateModel(
            name='Invoice',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('public_id', models.UUIDField(default=uuid.uuid4, editable=False, unique=True, verbose_name='id')),
                ('kind', models.CharField(choices=[('invoice', 'invoice')], default='invoice', max_length=16, verbose_name='kind')),
                ('status', models.CharField(choices=[('draft', 'draft'), ('finalized', 'open'), ('paid', 'paid'), ('void', 'void'), ('uncollectible', 'uncollectible')], default='draft', max_length=16, verbose_name='status')),
                ('number', models.CharField(blank=True, max_length=32, null=True, unique=True, verbose_name='number')),
                ('sequence', models.PositiveBigIntegerField(blank=True, null=True)),
                ('currency', models.CharField(max_length=3, verbose_name='currency')),
                ('boundary_at', models.DateTimeField(verbose_name='due to be billed at')),
                ('first_day', models.DateField(verbose_name='service from')),
                ('last_day', models.DateField(verbose_name='service to')),
                ('issued_on', models.DateField(verbose_name='issued on')),
                ('due_on', models.DateField(verbose_name='due on')),
                ('subtotal_minor', models.BigIntegerField(verbose_name='subtotal')),
                ('discount_minor', models.BigIntegerField(default=0, verbose_name='discount')),
                ('tax_minor', models.BigIntegerField(verbose_name='tax')),
                ('total_minor', models.BigIntegerField(verbose_name='total')),
                ('credits_minor', models.BigIntegerField(default=0, verbose_name='credits')),
                ('due_minor', models.BigIntegerField(verbose_name='amount due')),
                ('snapshot', models.JSONField(default=dict)),
                ('drafted_at', models.DateTimeField(verbose_name='drafted at')),
                ('finalized_at', models.DateTimeField(blank=True, null=True, verbose_name='finalised at')),
                ('sent_at', models.DateTimeField(blank=True, null=True, verbose_name='sent at')),
                ('paid_minor', models.BigIntegerField(default=0, verbose_name='paid')),
                ('voided_at', models.DateTimeField(blank=True, null=True, verbose_name='voided at')),
                ('void_reason', models.CharField(blank=True, max_length=500, verbose_name='reason')),
                ('billing_entity', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='invoices', to='billing.billingentity', verbose_name='billing entity')),
                ('customer', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='invoices', to='customers.customer', verbose_name='customer')),
            ],
            options={
                'verbose_name': 'invoice',
                'verbose_name_plural': 'invoices',
            },
        ),
        migrations.CreateModel(
            name='InvoiceDocument',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('storage_key', models.CharField(max_length=255, unique=True, verbose_name='storage key')),
                ('sha256', models.CharField(max_length=64, verbose_name='SHA-256')),
                ('size_bytes', models.PositiveIntegerField(verbose_name='size in bytes')),
                ('renderer', models.CharField(max_length=64, verbose_name='rendered by')),
                ('rendered_at', models.DateTimeField(verbose_name='rendered at')),
                ('invoice', models.OneToOneField(on_delete=django.db.models.deletion.PROTECT, related_name='document', to='billing.invoice', verbose_name='invoice')),
            ],
            options={
                'verbose_name': 'document',
                'verbose_name_plural': 'documents',
            },
        ),
        migrations.CreateModel(
            name='NumberSeries',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('kind', models.CharField(default='invoice', max_length=16, verbose_name='document')),
                ('prefix', models.CharField(max_length=16, verbose_name='prefix')),
                ('last_number', models.PositiveBigIntegerField(default=0, verbose_name='last number')),
                ('billing_entity', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='number_series', to='billing.billingentity', verbose_name='billing entity')),
            ],
            options={
                'verbose_name': 'number series',
                'verbose_name_plural': 'number series',
            },
        ),
        migrations.AddField(
            model_name='invoice',
            name='series',
            field=models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='billing.numberseries'),
        ),
        migrations.CreateModel(
            name='Payment',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('amount_minor', models.BigIntegerField(verbose_name='amount')),
                ('received_on', models.DateField(verbose_name='received on')),
                ('method', models.CharField(default='bank_transfer', max_length=32, verbose_name='method')),
                ('reference', models.CharField(max_length=140, verbose_name='reference')),
                ('recorded_at', models.DateTimeField(verbose_name='recorded at')),
                ('recorded_by', models.CharField(max_length=254, verbose_name='recorded by')),
                ('invoice', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='payments', to='billing.invoice', verbose_name='invoice')),
            ],
            options={
                'verbose_name': 'payment',
                'verbose_name_plural': 'payments',
            },
        ),
        migrations.CreateModel(
            name='Plan',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('code', models.CharField(max_length=64, unique=True, verbose_name='code')),
                ('name', models.CharField(max_length=255, verbose_name='name')),
                ('currency', models.CharField(max_length=3, verbose_name='currency')),
                ('created_at', models.DateTimeField(verbose_name='created at')),
            ],
            options={
                'verbose_name': 'plan',
                'verbose_name_plural': 'plans',
                'constraints': [models.CheckConstraint(condition=models.Q(('currency__regex', '^[A-Z]{3}$')), name='plan_currency_is_a_code')],
            },
        ),
        migrations.CreateModel(
            name='PlanVersion',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('version', models.PositiveIntegerField(verbose_name='version')),
                ('status', models.CharField(choices=[('draft', 'draft'), ('published', 'published'), ('archived', 'archived')], default='draft', max_length=16, verbose_name='status')),
                ('interval', models.CharField(choices=[('weekly', 'weekly'), ('monthly', 'monthly'), ('quarterly', 'quarterly'), ('yearly', 'yearly')], default='monthly', max_length=16, verbose_name='interval')),
                ('anchor', models.CharField(choices=[('calendar', 'calendar'), ('anniversary', 'anniversary')], default='calendar', max_length=16, verbose_name='anchor')),
                ('minimum_commitment', models.DecimalField(blank=True, decimal_places=12, max_digits=30, null=True, verbose_name='minimum commitment')),
                ('created_at', models.DateTimeField(verbose_name='created at')),
                ('published_at', models.DateTimeField(blank=True, null=True, verbose_name='published at')),
                ('plan', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='versions', to='billing.plan', verbose_name='plan')),
            ],
            options={
                'verbose_name': 'plan version',
                'verbose_name_plural': 'plan versions',
            },
        ),
        migrations.CreateModel(
            name='Charge',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('position', models.PositiveIntegerField(verbose_name='position')),
                ('code', models.CharField(max_length=64, verbose_name='code')),
                ('name', models.CharField(max_length=255, verbose_name='name')),
                ('filter', models.JSONField(blank=True, default=dict, verbose_name='filter')),
                ('terms', models.JSONField(verbose_name='terms')),
                ('billed', models.CharField(choices=[('in_advance', 'in advance'), ('in_arrears', 'in arrears')], default='in_arrears', max_length=16, verbose_name='billed')),
                ('meter', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='charges', to='usage.meter', verbose_name='meter')),
                ('plan_version', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='charges', to='billing.planversion', verbose_name='plan version')),
            ],
            options={
                'verbose_name': 'charge',
                'verbose_name_plural': 'charges',
            },
        ),
        migrations.CreateModel(
            name='Subscription',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('external_id', models.CharField(max_length=255, unique=True, verbose_name='external id')),
                ('started_on', models.DateField(verbose_name='first day')),
                ('ended_on', models.DateField(blank=True, help_text='The first day that is no longer part of it.', null=True, verbose_name='ends on')),
                ('starts_at', models.DateTimeField(verbose_name='starts at')),
                ('ends_at', models.DateTimeField(blank=True, null=True, verbose_name='ends at')),
                ('created_at', models.DateTimeField(verbose_name='created at')),
                ('customer', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='subscriptions', to='customers.customer', verbose_name='customer')),
                ('plan', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='subscriptions', to='billing.plan', verbose_name='plan')),
                ('plan_version', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='subscriptions', to='billing.planversion', verbose_name='plan version')),
            ],
            options={
                'verbose_name': 'subscription',
                'verbose_name_plural': 'subscriptions',
            },
        ),
        migrations.AddField(
            model_name='invoice',
            name='subscription',
            field=models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='invoices', to='billing.subscription', verbose_name='subscription'),
        ),
        migrations.CreateModel(
            name='BillingPeriod',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('index', models.PositiveIntegerField(verbose_name='period')),
                ('first_day', models.DateField(verbose_name='first day')),
                ('end_day', models.DateField(verbose_name='end day')),
                ('starts_at', models.DateTimeField(verbose_name='starts at')),
                ('ends_at', models.DateTimeField(verbose_name='ends at')),
                ('bills_in_advance', models.BooleanField(default=False)),
                ('advance_billed_at', models.DateTimeField(blank=True, null=True)),
                ('arrears_billed_at', models.DateTimeField(blank=True, null=True)),
                ('attempts', models.PositiveIntegerField(default=0, verbose_name='attempts')),
                ('last_error', models.TextField(blank=True, verbose_name='last error')),
                ('parked_at', models.DateTimeField(blank=True, null=True, verbose_name='parked at')),
                ('advance_invoice', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='advance_periods', to='billing.invoice')),
                ('arrears_invoice', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='arrears_periods', to='billing.invoice')),
                ('plan_version', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to='billing.planversion', verbose_name='plan version')),
                ('subscription', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='periods', to='billing.subscription', verbose_name='subscription')),
            ],
            options={
                'verbose_name': 'billing period',
                'verbose_name_plural': 'billing periods',
            },
        ),
        migrations.CreateModel(
            name='SubscriptionMeter',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('starts_at', models.DateTimeField(verbose_name='starts at')),
                ('ends_at', models.DateTimeField(blank=True, null=True, verbose_name='ends at')),
                ('customer', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to='customers.customer', verbose_name='customer')),
                ('meter', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to='usage.meter', verbose_name='meter')),
                ('subscription', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='metered', to='billing.subscription', verbose_name='subscription')),
            ],
            options={
                'verbose_name': 'metered by subscription',
                'verbose_name_plural': 'metered by subscription',
            },
        ),
        migrations.CreateModel(
            name='Delivery',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('kind', models.CharField(choices=[('invoice', 'invoice')], default='invoice', max_length=16, verbose_name='notice')),
                ('recipient', models.EmailField(max_length=254, verbose_name='recipient')),
                ('status', models.CharField(choices=[('queued', 'queued'), ('sending', 'sending'), ('sent', 'sent'), ('failed', 'failed')], default='queued', max_length=16, verbose_name='status')),
                ('attempts', models.PositiveIntegerField(default=0, verbose_name='attempts')),
                ('last_error', models.TextField(blank=True, verbose_name='last error')),
                ('message_id', models.CharField(blank=True, max_length=255, verbose_name='message id')),
                ('queued_at', models.DateTimeField(verbose_name='queued at')),
                ('sent_at', models.DateTimeField(blank=True, null=True, verbose_name='sent at')),
                ('invoice', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='deliveries', to='billing.invoice', verbose_name='invoice')),
            ],
            options={
                'verbose_name': 'delivery',
                'verbose_name_plural': 'deliveries',
                'constraints': [models.UniqueConstraint(fields=('invoice', 'kind', 'recipient'), name='delivery_once_per_recipient')],
            },
        ),
        migrations.CreateModel(
            name='InvoiceLine',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('position', models.PositiveIntegerField(verbose_name='position')),
                ('group', models.CharField(choices=[('subscription', 'subscription'), ('usage', 'usage'), ('adjustment', 'adjustment')], max_length=16, verbose_name='group')),
                ('charge_code', models.CharField(max_length=64, verbose_name='charge')),
                ('description', models.CharField(max_length=255, verbose_name='description')),
                ('detail', models.CharField(blank=True, max_length=500, verbose_name='detail')),
                ('meter_code', models.CharField(blank=True, max_length=64, verbose_name='meter')),
                ('unit', models.CharField(blank=True, max_length=32, verbose_name='unit')),
                ('first_day', models.DateField(verbose_name='from')),
                ('last_day', models.DateField(verbose_name='to')),
                ('quantity', models.DecimalField(decimal_places=12, max_digits=38, verbose_name='quantity')),
                ('unit_amount', models.DecimalField(blank=True, decimal_places=12, max_digits=38, null=True, verbose_name='unit price')),
                ('exact_amount', models.DecimalField(decimal_places=24, max_digits=60, verbose_name='exact amount')),
                ('amount_minor', models.BigIntegerField(verbose_name='amount')),
                ('tax_rate_pct', models.DecimalField(decimal_places=4, max_digits=7, verbose_name='tax rate in percent')),
                ('breakdown', models.JSONField(default=list)),
                ('billing_period', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='lines', to='billing.billingperiod', verbose_name='billing period')),
                ('charge', models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='billing.charge', verbose_name='charge')),
                ('invoice', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='lines', to='billing.invoice', verbose_name='invoice')),
            ],
            options={
                'verbose_name': 'invoice line',
                'verbose_name_plural': 'invoice lines',
                'indexes': [models.Index(fields=['billing_period', 'charge_code'], name='invoice_line_by_period')],
                'constraints': [models.UniqueConstraint(fields=('invoice', 'position'), name='invoice_line_position_unique'), models.CheckConstraint(condition=models.Q(('exact_amount__gt', -1000000000000000000), ('exact_amount__lt', 1000000000000000000), ('quantity__gt', -1000000000000000000), ('quantity__lt', 1000000000000000000)), name='invoice_line_finite')],
            },
        ),
        migrations.CreateModel(
            name='InvoiceTax',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('rate_pct', models.DecimalField(decimal_places=4, max_digits=7, verbose_name='rate in percent')),
                ('base_minor', models.BigIntegerField(verbose_name='base')),
                ('amount_minor', models.BigIntegerField(verbose_name='amount')),
                ('invoice', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='taxes', to='billing.invoice', verbose_name='invoice')),
            ],
            options={
                'verbose_name': 'tax',
                'verbose_name_plural': 'taxes',
                'constraints': [models.UniqueConstraint(fields=('invoice', 'rate_pct'), name='invoice_tax_once_per_rate')],
            },
        ),
        migrations.AddConstraint(
            model_name='numberseries',
            constraint=models.UniqueConstraint(fields=('billing_entity', 'kind'), name='number_series_once_per_kind'),
        ),
        migrations.AddConstraint(
            model_name='numberseries',
            constraint=models.UniqueConstraint(fields=('prefix',), name='number_series_prefix_unique'),
        ),
        migrations.AddConstraint(
            model_name='payment',
            constraint=models.UniqueConstraint(fields=('invoice', 'reference'), name='payment_reference_once_per_invoice'),
        ),
        migrations.AddConstraint(
            model_name='payment',
            constraint=models.CheckConstraint(condition=models.Q(('amount_minor__gt', 0)), name='payment_amount_positive'),
        ),
        migrations.AddConstraint(
            model_name='planversion',
            constraint=models.UniqueConstraint(fields=('plan', 'version'), name='plan_version_number_unique'),
        ),
        migrations.AddConstraint(
            model_name='planversion',
            constraint=models.UniqueConstraint(condition=models.Q(('status', 'draft')), fields=('plan',), name='plan_version_one_draft'),
        ),
        migrations.AddConstraint(
            model_name='planversion',
            constraint=models.UniqueConstraint(condition=models.Q(('status', 'published')), fields=('plan',), name='plan_version_one_published'),
        ),
        migrations.AddConstraint(
            model_name='planversion',
            constraint=models.CheckConstraint(condition=models.Q(('status', 'draft'), ('published_at__isnull', False), _connector='XOR'), name='plan_version_published_at_with_status'),
        ),
        migrations.AddConstraint(
            model_name='planversion',
            constraint=models.CheckConstraint(condition=models.Q(('minimum_commitment__isnull', True), models.Q(('minimum_commitment__gt', 0), ('minimum_commitment__lt', 1000000000000000)), _connector='OR'), name='plan_version_commitment_finite'),
        ),
        migrations.AddConstraint(
            model_name='charge',
            constraint=models.UniqueConstraint(fields=('plan_version', 'code'), name='charge_code_unique_in_version'),
        ),
        migrations.AddConstraint(
            model_name='charge',
            constraint=models.CheckConstraint(condition=models.Q(('meter__isnull', True), ('billed', 'in_arrears'), _connector='OR'), name='charge_usage_billed_in_arrears'),
        ),
        migrations.AddConstraint(
            model_name='subscription',
            constraint=models.CheckConstraint(condition=models.Q(('ends_at__isnull', True), ('ends_at__gt', models.F('starts_at')), _connector='OR'), name='subscription_ends_after_start'),
        ),
        migrations.AddConstraint(
            model_name='subscription',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('ended_on__isnull', True), ('ends_at__isnull', True)), models.Q(('ended_on__isnull', False), ('ends_at__isnull', False)), _connector='OR'), name='subscription_end_both_or_none'),
        ),
        migrations.AddConstraint(
            model_name='subscription',
            constraint=django.contrib.postgres.constraints.ExclusionConstraint(expressions=[('customer', '='), ('plan', '='), (billing.models.subscription.TsTzRange('starts_at', 'ends_at', django.contrib.postgres.fields.ranges.RangeBoundary()), '&&')], name='subscription_plan_once_at_a_time'),
        ),
        migrations.AddIndex(
            model_name='invoice',
            index=models.Index(fields=['customer', '-issued_on'], name='invoice_by_customer'),
        ),
        migrations.AddIndex(
            model_name='invoice',
            index=models.Index(condition=models.Q(('status', 'draft')), fields=['boundary_at'], name='invoice_drafts'),
        ),
        migrations.AddIndex(
            model_name='invoice',
            index=models.Index(condition=models.Q(('status', 'finalized')), fields=['due_on'], name='invoice_open_by_due_date'),
        ),
        migrations.AddConstraint(
            model_name='invoice',
            constraint=models.UniqueConstraint(fields=('series', 'sequence'), name='invoice_sequence_unique_in_series'),
        ),
        migrations.AddConstraint(
            model_name='invoice',
            constraint=models.UniqueConstraint(condition=models.Q(('status', 'void'), _negated=True), fields=('subscription', 'boundary_at'), name='invoice_one_live_per_boundary'),
        ),
        migrations.AddConstraint(
            model_name='invoice',
            constraint=models.CheckConstraint(condition=models.Q(('total_minor', django.db.models.expressions.CombinedExpression(django.db.models.expressions.CombinedExpression(models.F('subtotal_minor'), '-', models.F('discount_minor')), '+', models.F('tax_minor')))), name='invoice_total_adds_up'),
        ),
        migrations.AddConstraint(
            model_name='invoice',
            constraint=models.CheckConstraint(condition=models.Q(('due_minor', django.db.models.expressions.CombinedExpression(models.F('total_minor'), '-', models.F('credits_minor')))), name='invoice_due_adds_up'),
        ),
        migrations.AddConstraint(
            model_name='invoice',
            constraint=models.CheckConstraint(condition=models.Q(('credits_minor__gte', 0), ('discount_minor__gte', 0), ('due_minor__gte', 0), ('paid_minor__gte', 0)), name='invoice_amounts_not_negative'),
        ),
        migrations.AddConstraint(
            model_name='invoice',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('finalized_at__isnull', True), ('number__isnull', True), ('sequence__isnull', True), ('series__isnull', True), ('status', 'draft')), models.Q(models.Q(('status', 'draft'), _negated=True), ('finalized_at__isnull', False), ('number__isnull', False), ('sequence__isnull', False), ('series__isnull', False)), _connector='OR'), name='invoice_numbered_when_final'),
        ),
        migrations.AddConstraint(
            model_name='invoice',
            constraint=models.CheckConstraint(condition=models.Q(('status', 'void'), ('voided_at__isnull', True), _connector='XOR'), name='invoice_voided_at_with_status'),
        ),
        migrations.AddIndex(
            model_name='billingperiod',
            index=models.Index(condition=models.Q(('advance_billed_at__isnull', True), ('bills_in_advance', True)), fields=['starts_at'], name='billing_period_advance_due'),
        ),
        migrations.AddIndex(
            model_name='billingperiod',
            index=models.Index(condition=models.Q(('arrears_billed_at__isnull', True)), fields=['ends_at'], name='billing_period_arrears_due'),
        ),
        migrations.AddConstraint(
            model_name='billingperiod',
            constraint=models.UniqueConstraint(fields=('subscription', 'index'), name='billing_period_index_unique'),
        ),
        migrations.AddConstraint(
            model_name='billingperiod',
            constraint=models.UniqueConstraint(fields=('subscription', 'starts_at'), name='billing_period_start_unique'),
        ),
        migrations.AddConstraint(
            model_name='billingperiod',
            constraint=django.contrib.postgres.constraints.ExclusionConstraint(expressions=[('subscription', '='), (billing.models.subscription.TsTzRange('starts_at', 'ends_at', django.contrib.postgres.fields.ranges.RangeBoundary()), '&&')], name='billing_period_no_overlap'),
        ),
        migrations.AddConstraint(
            model_name='billingperiod',
            constraint=models.CheckConstraint(condition=models.Q(('end_day__gt', models.F('first_day')), ('ends_at__gt', models.F('starts_at'))), name='billing_period_not_empty'),
        ),
        migrations.AddConstraint(
            model_name='billingperiod',
            constraint=models.CheckConstraint(condition=models.Q(('advance_billed_at__isnull', False), ('advance_invoice__isnull', True), _connector='OR'), name='billing_period_advance_invoice_when_billed'),
        ),
        migrations.AddConstraint(
            model_name='billingperiod',
            constraint=models.CheckConstraint(condition=models.Q(('arrears_billed_at__isnull', False), ('arrears_invoice__isnull', True), _connector='OR'), name='billing_period_arrears_invoice_when_billed'),
        ),
        migrations.AddConstraint(
            model_name='subscriptionmeter',
            constraint=models.UniqueConstraint(fields=('subscription', 'meter'), name='subscription_meter_once'),
        ),
        migrations.AddConstraint(
            model_name='subscriptionmeter',
            constraint=django.contrib.postgres.constraints.ExclusionConstraint(expressions=[('customer', '='), ('meter', '='), (billing.models.subscription.TsTzRange('starts_at', 'ends_at', django.contrib.postgres.fields.ranges.RangeBoundary()), '&&')], name='meter_priced_once_at_a_time'),
        ),
    ]
