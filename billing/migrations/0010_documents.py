import django.db.models.deletion
import django.db.models.expressions
import uuid
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('billing', '0009_lifecycle_final'),
        ('customers', '0004_tax_rate_may_be_left_to_the_rules'),
    ]

    operations = [
        migrations.RenameModel(
            old_name='InvoiceDocument',
            new_name='Document',
        ),
        migrations.AlterField(
            model_name='document',
            name='invoice',
            field=models.OneToOneField(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='document', to='billing.invoice', verbose_name='invoice'),
        ),
        migrations.CreateModel(
            name='BillingProfile',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('grace_minutes', models.PositiveIntegerField(blank=True, null=True, verbose_name='grace period in minutes')),
                ('finalizes_by_itself', models.BooleanField(blank=True, null=True, verbose_name='drafts are finalised by themselves')),
                ('tax_exemption_reason', models.CharField(blank=True, help_text='Empty: not exempt. Printed on invoices.', max_length=255, verbose_name='reason of a tax exemption')),
                ('tax_exemption_code', models.CharField(blank=True, help_text='VATEX code, such as VATEX-EU-132-1I; may be empty.', max_length=32, verbose_name='exemption code')),
                ('buyer_reference', models.CharField(blank=True, help_text='What public buyers route invoices by, such as a Leitweg-ID.', max_length=64, verbose_name='buyer reference')),
                ('reminders_paused', models.BooleanField(default=False, verbose_name='gets no reminders')),
            ],
            options={
                'verbose_name': 'billing profile',
                'verbose_name_plural': 'billing profiles',
            },
        ),
        migrations.CreateModel(
            name='BrandAsset',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('sha256', models.CharField(max_length=64, unique=True, verbose_name='SHA-256')),
                ('media_type', models.CharField(choices=[('image/svg+xml', 'SVG'), ('image/png', 'PNG')], max_length=32, verbose_name='media type')),
                ('content', models.BinaryField()),
                ('added_at', models.DateTimeField(verbose_name='added at')),
            ],
            options={
                'verbose_name': 'picture',
                'verbose_name_plural': 'pictures',
            },
        ),
        migrations.CreateModel(
            name='Coupon',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('code', models.CharField(max_length=64, unique=True, verbose_name='code')),
                ('name', models.CharField(help_text='Printed on invoices.', max_length=255, verbose_name='name')),
                ('percent', models.DecimalField(blank=True, decimal_places=4, max_digits=7, null=True, verbose_name='percent')),
                ('amount_minor', models.BigIntegerField(blank=True, null=True, verbose_name='amount')),
                ('currency', models.CharField(blank=True, max_length=3, verbose_name='currency')),
                ('duration', models.CharField(choices=[('once', 'once'), ('periods', 'a number of invoices'), ('forever', 'for ever')], default='once', max_length=16, verbose_name='lasts')),
                ('period_count', models.PositiveIntegerField(blank=True, null=True, verbose_name='number of invoices')),
                ('plan_codes', models.JSONField(blank=True, default=list, verbose_name='plans')),
                ('charge_codes', models.JSONField(blank=True, default=list, verbose_name='charges')),
                ('max_redemptions', models.PositiveIntegerField(blank=True, null=True, verbose_name='at most so many customers')),
                ('redeem_until', models.DateTimeField(blank=True, null=True, verbose_name='can be redeemed until')),
                ('archived_at', models.DateTimeField(blank=True, null=True, verbose_name='archived at')),
                ('created_at', models.DateTimeField(verbose_name='created at')),
            ],
            options={
                'verbose_name': 'coupon',
                'verbose_name_plural': 'coupons',
            },
        ),
        migrations.CreateModel(
            name='CouponRedemption',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('redeemed_at', models.DateTimeField(verbose_name='redeemed at')),
                ('ended_at', models.DateTimeField(blank=True, null=True, verbose_name='taken away at')),
            ],
            options={
                'verbose_name': 'redeemed coupon',
                'verbose_name_plural': 'redeemed coupons',
            },
        ),
        migrations.CreateModel(
            name='Credit',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('kind', models.CharField(choices=[('credit_note', 'credit note'), ('promotional', 'promotional credit'), ('paid', 'prepaid credit')], max_length=16, verbose_name='kind')),
                ('name', models.CharField(help_text='Printed on invoices.', max_length=255, verbose_name='name')),
                ('reference', models.CharField(max_length=140, verbose_name='reference')),
                ('currency', models.CharField(max_length=3, verbose_name='currency')),
                ('amount_minor', models.BigIntegerField(verbose_name='amount')),
                ('cost_basis_minor', models.BigIntegerField(default=0, verbose_name='paid for it')),
                ('priority', models.PositiveIntegerField(default=100, verbose_name='priority')),
                ('granted_at', models.DateTimeField(verbose_name='granted at')),
                ('expires_at', models.DateTimeField(blank=True, null=True, verbose_name='expires at')),
                ('voided_at', models.DateTimeField(blank=True, null=True, verbose_name='taken back at')),
            ],
            options={
                'verbose_name': 'credit',
                'verbose_name_plural': 'credits',
            },
        ),
        migrations.CreateModel(
            name='CreditEntry',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('kind', models.CharField(choices=[('granted', 'granted'), ('used', 'used on an invoice'), ('returned', 'given back by a void invoice'), ('expired', 'expired'), ('voided', 'taken back'), ('refunded', 'paid out')], max_length=16, verbose_name='kind')),
                ('amount_minor', models.BigIntegerField(verbose_name='amount')),
                ('recorded_at', models.DateTimeField(verbose_name='recorded at')),
                ('recorded_by', models.CharField(max_length=254, verbose_name='recorded by')),
            ],
            options={
                'verbose_name': 'credit entry',
                'verbose_name_plural': 'credit entries',
            },
        ),
        migrations.CreateModel(
            name='CreditNote',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('public_id', models.UUIDField(default=uuid.uuid4, editable=False, unique=True, verbose_name='id')),
                ('number', models.CharField(max_length=64, unique=True, verbose_name='number')),
                ('sequence', models.PositiveBigIntegerField()),
                ('reason', models.CharField(choices=[('correction', 'correction of what was billed'), ('goodwill', 'goodwill'), ('duplicate', 'billed twice'), ('unsatisfactory', 'service not as agreed'), ('other', 'other')], max_length=16, verbose_name='reason')),
                ('explanation', models.CharField(blank=True, max_length=500, verbose_name='explanation')),
                ('reference', models.CharField(max_length=140, verbose_name='reference')),
                ('currency', models.CharField(max_length=3, verbose_name='currency')),
                ('issued_on', models.DateField(verbose_name='issued on')),
                ('issued_at', models.DateTimeField(verbose_name='issued at')),
                ('subtotal_minor', models.BigIntegerField(verbose_name='subtotal')),
                ('discount_minor', models.BigIntegerField(default=0, verbose_name='discount')),
                ('tax_minor', models.BigIntegerField(verbose_name='tax')),
                ('total_minor', models.BigIntegerField(verbose_name='total')),
                ('to_invoice_minor', models.BigIntegerField(default=0, verbose_name='taken off the invoice')),
                ('to_balance_minor', models.BigIntegerField(default=0, verbose_name='kept for next invoices')),
                ('to_refund_minor', models.BigIntegerField(default=0, verbose_name='paid back')),
                ('snapshot', models.JSONField(default=dict)),
                ('sent_at', models.DateTimeField(blank=True, null=True, verbose_name='sent at')),
                ('refunded_at', models.DateTimeField(blank=True, null=True, verbose_name='paid back at')),
                ('refund_reference', models.CharField(blank=True, max_length=140, verbose_name='reference of the refund')),
            ],
            options={
                'verbose_name': 'credit note',
                'verbose_name_plural': 'credit notes',
            },
        ),
        migrations.CreateModel(
            name='CreditNoteLine',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('position', models.PositiveIntegerField(verbose_name='position')),
                ('description', models.CharField(max_length=255, verbose_name='description')),
                ('detail', models.CharField(blank=True, max_length=500, verbose_name='detail')),
                ('quantity', models.DecimalField(decimal_places=12, max_digits=38, verbose_name='quantity')),
                ('exact_amount', models.DecimalField(decimal_places=24, max_digits=60, verbose_name='exact amount')),
                ('amount_minor', models.BigIntegerField(verbose_name='amount')),
                ('discount_minor', models.BigIntegerField(default=0, verbose_name='discount')),
            ],
            options={
                'verbose_name': 'credit note line',
                'verbose_name_plural': 'credit note lines',
            },
        ),
        migrations.CreateModel(
            name='CreditNoteTax',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('rate_pct', models.DecimalField(decimal_places=4, max_digits=7, verbose_name='rate in percent')),
                ('category', models.CharField(default='S', max_length=2, verbose_name='tax category')),
                ('label', models.CharField(blank=True, max_length=32, verbose_name='tax')),
                ('exemption_code', models.CharField(blank=True, max_length=32, verbose_name='exemption code')),
                ('note', models.CharField(blank=True, max_length=500, verbose_name='note')),
                ('base_minor', models.BigIntegerField(verbose_name='base')),
                ('amount_minor', models.BigIntegerField(verbose_name='amount')),
            ],
            options={
                'verbose_name': 'tax of a credit note',
                'verbose_name_plural': 'taxes of credit notes',
            },
        ),
        migrations.CreateModel(
            name='InvoiceDiscount',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('position', models.PositiveIntegerField(verbose_name='position')),
                ('label', models.CharField(max_length=255, verbose_name='label')),
                ('percent', models.DecimalField(blank=True, decimal_places=4, max_digits=7, null=True, verbose_name='percent')),
                ('amount_minor', models.BigIntegerField(verbose_name='amount')),
            ],
            options={
                'verbose_name': 'discount',
                'verbose_name_plural': 'discounts',
            },
        ),
        migrations.CreateModel(
            name='MailReport',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('notification_id', models.CharField(max_length=255, unique=True, verbose_name='notification')),
                ('kind', models.CharField(max_length=32, verbose_name='kind')),
                ('message_id', models.CharField(max_length=255, verbose_name='message id')),
                ('detail', models.JSONField(default=dict, verbose_name='what the provider said')),
                ('received_at', models.DateTimeField(verbose_name='received at')),
            ],
            options={
                'verbose_name': 'mail report',
                'verbose_name_plural': 'mail reports',
            },
        ),
        migrations.CreateModel(
            name='NumberCounter',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('year', models.PositiveIntegerField(default=0, verbose_name='year')),
                ('last_number', models.PositiveBigIntegerField(default=0, verbose_name='last number')),
            ],
            options={
                'verbose_name': 'number counter',
                'verbose_name_plural': 'number counters',
            },
        ),
        migrations.CreateModel(
            name='PaymentAllocation',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('amount_minor', models.BigIntegerField(verbose_name='amount')),
                ('recorded_at', models.DateTimeField(verbose_name='recorded at')),
                ('recorded_by', models.CharField(max_length=254, verbose_name='recorded by')),
            ],
            options={
                'verbose_name': 'allocation of a payment',
                'verbose_name_plural': 'allocations of payments',
            },
        ),
        migrations.CreateModel(
            name='SuppressedAddress',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('address', models.CharField(max_length=254, verbose_name='address')),
                ('reason', models.CharField(choices=[('bounce', 'mail came back'), ('complaint', 'complaint')], max_length=16, verbose_name='reason')),
                ('detail', models.CharField(blank=True, max_length=500, verbose_name='what the provider said')),
                ('suppressed_at', models.DateTimeField(verbose_name='since')),
                ('lifted_at', models.DateTimeField(blank=True, null=True, verbose_name='lifted at')),
            ],
            options={
                'verbose_name': 'suppressed address',
                'verbose_name_plural': 'suppressed addresses',
            },
        ),
        migrations.CreateModel(
            name='TaxRate',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('country', models.CharField(help_text='Two letters, ISO 3166.', max_length=2, verbose_name='country')),
                ('region', models.CharField(blank=True, help_text='Empty: the whole country.', max_length=128, verbose_name='state or region')),
                ('tax_class', models.CharField(default='standard', help_text='What is sold.', max_length=32, verbose_name='tax class')),
                ('rate_pct', models.DecimalField(decimal_places=4, max_digits=7, verbose_name='rate in percent')),
                ('label', models.CharField(blank=True, help_text="Empty: the country's own word.", max_length=32, verbose_name='word on documents')),
                ('valid_from', models.DateField(verbose_name='from')),
                ('valid_until', models.DateField(blank=True, null=True, verbose_name='until')),
            ],
            options={
                'verbose_name': 'tax rate',
                'verbose_name_plural': 'tax rates',
            },
        ),
        migrations.CreateModel(
            name='TaxRegistration',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('country', models.CharField(max_length=2, verbose_name='country')),
                ('region', models.CharField(blank=True, max_length=128, verbose_name='state or region')),
                ('tax_id', models.CharField(blank=True, max_length=64, verbose_name='tax id')),
                ('is_one_stop_shop', models.BooleanField(default=False, verbose_name='EU one-stop shop')),
                ('valid_from', models.DateField(verbose_name='from')),
                ('valid_until', models.DateField(blank=True, null=True, verbose_name='until')),
            ],
            options={
                'verbose_name': 'tax registration',
                'verbose_name_plural': 'tax registrations',
            },
        ),
        migrations.RemoveConstraint(
            model_name='delivery',
            name='delivery_once_per_recipient',
        ),
        migrations.RemoveConstraint(
            model_name='invoice',
            name='invoice_sequence_unique_in_series',
        ),
        migrations.RemoveConstraint(
            model_name='invoice',
            name='invoice_amounts_not_negative',
        ),
        migrations.RemoveConstraint(
            model_name='invoice',
            name='invoice_numbered_when_final',
        ),
        migrations.RemoveConstraint(
            model_name='invoicetax',
            name='invoice_tax_once_per_rate',
        ),
        migrations.RemoveConstraint(
            model_name='numberseries',
            name='number_series_prefix_unique',
        ),
        migrations.AddField(
            model_name='billingentity',
            name='finalizes_by_itself',
            field=models.BooleanField(default=True, help_text='If not, a person finalises each draft.', verbose_name='drafts are finalised by themselves'),
        ),
        migrations.AddField(
            model_name='billingentity',
            name='grace_minutes',
            field=models.PositiveIntegerField(blank=True, null=True, verbose_name='grace period in minutes'),
        ),
        migrations.AddField(
            model_name='billingentity',
            name='payment_url_template',
            field=models.CharField(blank=True, max_length=500, verbose_name='payment link'),
        ),
        migrations.AddField(
            model_name='billingentity',
            name='region',
            field=models.CharField(blank=True, max_length=128, verbose_name='state or region'),
        ),
        migrations.AddField(
            model_name='billingentity',
            name='registration',
            field=models.CharField(blank=True, help_text='Register and number, as printed on invoices.', max_length=255, verbose_name='company register'),
        ),
        migrations.AddField(
            model_name='billingentity',
            name='reminder_days',
            field=models.JSONField(blank=True, default=list, verbose_name='reminder days'),
        ),
        migrations.AddField(
            model_name='billingentity',
            name='sends_receipts',
            field=models.BooleanField(default=False, verbose_name='receipts are sent for payments'),
        ),
        migrations.AddField(
            model_name='charge',
            name='tax_class',
            field=models.CharField(default='standard', max_length=32, verbose_name='tax class'),
        ),
        migrations.AddField(
            model_name='charge',
            name='tax_rate_pct',
            field=models.DecimalField(blank=True, decimal_places=4, max_digits=7, null=True, verbose_name='tax rate in percent'),
        ),
        migrations.AddField(
            model_name='delivery',
            name='bounced_at',
            field=models.DateTimeField(blank=True, null=True, verbose_name='bounced at'),
        ),
        migrations.AddField(
            model_name='delivery',
            name='complained_at',
            field=models.DateTimeField(blank=True, null=True, verbose_name='complained about at'),
        ),
        migrations.AddField(
            model_name='delivery',
            name='delivered_at',
            field=models.DateTimeField(blank=True, null=True, verbose_name='delivered at'),
        ),
        migrations.AddField(
            model_name='delivery',
            name='occasion',
            field=models.CharField(blank=True, max_length=16, verbose_name='occasion'),
        ),
        migrations.AddField(
            model_name='delivery',
            name='payment',
            field=models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='deliveries', to='billing.payment', verbose_name='payment'),
        ),
        migrations.AddField(
            model_name='invoice',
            name='credited_minor',
            field=models.BigIntegerField(default=0, verbose_name='credited'),
        ),
        migrations.AddField(
            model_name='invoice',
            name='replaces',
            field=models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='replaced_by', to='billing.invoice', verbose_name='replaces'),
        ),
        migrations.AddField(
            model_name='invoiceline',
            name='discount_minor',
            field=models.BigIntegerField(default=0, verbose_name='discount'),
        ),
        migrations.AddField(
            model_name='invoiceline',
            name='tax_category',
            field=models.CharField(default='S', max_length=2, verbose_name='tax category'),
        ),
        migrations.AddField(
            model_name='invoiceline',
            name='tax_class',
            field=models.CharField(default='standard', max_length=32, verbose_name='tax class'),
        ),
        migrations.AddField(
            model_name='invoiceline',
            name='unit_code',
            field=models.CharField(default='C62', max_length=3, verbose_name='unit code'),
        ),
        migrations.AddField(
            model_name='invoicetax',
            name='category',
            field=models.CharField(default='S', max_length=2, verbose_name='tax category'),
        ),
        migrations.AddField(
            model_name='invoicetax',
            name='exemption_code',
            field=models.CharField(blank=True, max_length=32, verbose_name='exemption code'),
        ),
        migrations.AddField(
            model_name='invoicetax',
            name='label',
            field=models.CharField(blank=True, max_length=32, verbose_name='tax'),
        ),
        migrations.AddField(
            model_name='invoicetax',
            name='note',
            field=models.CharField(blank=True, max_length=500, verbose_name='note'),
        ),
        migrations.AddField(
            model_name='numberseries',
            name='pattern',
            field=models.CharField(default='', help_text='Such as ACME-{year}-{number:06}: the number with at least six digits; {year} may be left out.', max_length=48, verbose_name='pattern'),
            preserve_default=False,
        ),
        migrations.AddField(
            model_name='numberseries',
            name='resets_yearly',
            field=models.BooleanField(default=False, verbose_name='starts at 1 each year'),
        ),
        migrations.AddField(
            model_name='payment',
            name='allocated_minor',
            field=models.BigIntegerField(default=0, verbose_name='allocated'),
        ),
        migrations.AddField(
            model_name='payment',
            name='currency',
            field=models.CharField(default=None, max_length=3, null=True, verbose_name='currency'),
        ),
        migrations.AddField(
            model_name='payment',
            name='customer',
            field=models.ForeignKey(default=None, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='payments', to='customers.customer', verbose_name='customer'),
        ),
        migrations.AddField(
            model_name='payment',
            name='public_id',
            field=models.UUIDField(editable=False, null=True, verbose_name='id'),
        ),
        migrations.AddField(
            model_name='payment',
            name='reversal_reason',
            field=models.CharField(blank=True, max_length=500, verbose_name='reason of the reversal'),
        ),
        migrations.AddField(
            model_name='payment',
            name='reversed_at',
            field=models.DateTimeField(blank=True, null=True, verbose_name='reversed at'),
        ),
        migrations.AlterField(
            model_name='delivery',
            name='invoice',
            field=models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='deliveries', to='billing.invoice', verbose_name='invoice'),
        ),
        migrations.AlterField(
            model_name='delivery',
            name='kind',
            field=models.CharField(choices=[('invoice', 'invoice'), ('credit_note', 'credit note'), ('receipt', 'receipt'), ('reminder', 'reminder')], default='invoice', max_length=16, verbose_name='notice'),
        ),
        migrations.AlterField(
            model_name='delivery',
            name='status',
            field=models.CharField(choices=[('queued', 'queued'), ('sending', 'sending'), ('sent', 'sent'), ('held', 'held'), ('failed', 'failed'), ('cancelled', 'cancelled')], default='queued', max_length=16, verbose_name='status'),
        ),
        migrations.AlterField(
            model_name='invoice',
            name='boundary_at',
            field=models.DateTimeField(blank=True, null=True, verbose_name='due to be billed at'),
        ),
        migrations.AlterField(
            model_name='invoice',
            name='kind',
            field=models.CharField(choices=[('invoice', 'invoice'), ('one_off', 'one-off invoice')], default='invoice', max_length=16, verbose_name='kind'),
        ),
        migrations.AlterField(
            model_name='invoice',
            name='number',
            field=models.CharField(blank=True, max_length=64, null=True, unique=True, verbose_name='number'),
        ),
        migrations.AlterField(
            model_name='invoice',
            name='subscription',
            field=models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='invoices', to='billing.subscription', verbose_name='subscription'),
        ),
        migrations.AlterField(
            model_name='invoiceline',
            name='billing_period',
            field=models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='lines', to='billing.billingperiod', verbose_name='billing period'),
        ),
        migrations.AlterField(
            model_name='invoiceline',
            name='group',
            field=models.CharField(choices=[('subscription', 'subscription'), ('usage', 'usage'), ('adjustment', 'adjustment'), ('item', 'one-off item')], max_length=16, verbose_name='group'),
        ),
        migrations.AlterField(
            model_name='numberseries',
            name='kind',
            field=models.CharField(choices=[('invoice', 'invoice'), ('credit_note', 'credit note')], default='invoice', max_length=16, verbose_name='document'),
        ),
        migrations.AlterField(
            model_name='payment',
            name='invoice',
            field=models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='payments', to='billing.invoice', verbose_name='invoice'),
        ),
        migrations.AddConstraint(
            model_name='charge',
            constraint=models.CheckConstraint(condition=models.Q(('tax_rate_pct__isnull', True), models.Q(('tax_rate_pct__gte', 0), ('tax_rate_pct__lte', 100)), _connector='OR'), name='charge_tax_rate_0_to_100'),
        ),
        migrations.AddField(
            model_name='billingprofile',
            name='billing_entity',
            field=models.ForeignKey(blank=True, help_text='Empty: the default one.', null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='billing.billingentity', verbose_name='billing entity'),
        ),
        migrations.AddField(
            model_name='billingprofile',
            name='customer',
            field=models.OneToOneField(on_delete=django.db.models.deletion.PROTECT, related_name='billing_profile', to='customers.customer', verbose_name='customer'),
        ),
        migrations.AddField(
            model_name='billingentity',
            name='logo',
            field=models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='billing.brandasset', verbose_name='logo'),
        ),
        migrations.AddConstraint(
            model_name='billingentity',
            constraint=models.CheckConstraint(condition=models.Q(('grace_minutes__isnull', True), ('grace_minutes__lte', 86400), _connector='OR'), name='billing_entity_grace_up_to_sixty_days'),
        ),
        migrations.AddConstraint(
            model_name='coupon',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('amount_minor__isnull', True), ('currency', ''), ('percent__gt', 0), ('percent__lte', 100)), models.Q(('amount_minor__gt', 0), ('currency__regex', '^[A-Z]{3}$'), ('percent__isnull', True)), _connector='OR'), name='coupon_percent_or_amount'),
        ),
        migrations.AddConstraint(
            model_name='coupon',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('duration', 'periods'), ('period_count__gt', 0)), models.Q(models.Q(('duration', 'periods'), _negated=True), ('period_count__isnull', True)), _connector='OR'), name='coupon_counts_periods_when_it_lasts_them'),
        ),
        migrations.AddField(
            model_name='couponredemption',
            name='coupon',
            field=models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='redemptions', to='billing.coupon', verbose_name='coupon'),
        ),
        migrations.AddField(
            model_name='couponredemption',
            name='customer',
            field=models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='coupon_redemptions', to='customers.customer', verbose_name='customer'),
        ),
        migrations.AddField(
            model_name='couponredemption',
            name='subscription',
            field=models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='coupon_redemptions', to='billing.subscription', verbose_name='subscription'),
        ),
        migrations.AddField(
            model_name='credit',
            name='customer',
            field=models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='credits', to='customers.customer', verbose_name='customer'),
        ),
        migrations.AddField(
            model_name='creditentry',
            name='credit',
            field=models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='entries', to='billing.credit', verbose_name='credit'),
        ),
        migrations.AddField(
            model_name='creditentry',
            name='invoice',
            field=models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='credit_entries', to='billing.invoice', verbose_name='invoice'),
        ),
        migrations.AddField(
            model_name='creditnote',
            name='billing_entity',
            field=models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='credit_notes', to='billing.billingentity', verbose_name='billing entity'),
        ),
        migrations.AddField(
            model_name='creditnote',
            name='customer',
            field=models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='credit_notes', to='customers.customer', verbose_name='customer'),
        ),
        migrations.AddField(
            model_name='creditnote',
            name='invoice',
            field=models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='credit_notes', to='billing.invoice', verbose_name='invoice'),
        ),
        migrations.AddField(
            model_name='credit',
            name='credit_note',
            field=models.OneToOneField(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='credit', to='billing.creditnote', verbose_name='credit note'),
        ),
        migrations.AddField(
            model_name='delivery',
            name='credit_note',
            field=models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='deliveries', to='billing.creditnote', verbose_name='credit note'),
        ),
        migrations.AddIndex(
            model_name='delivery',
            index=models.Index(fields=['message_id'], name='delivery_by_message_id'),
        ),
        migrations.AddField(
            model_name='creditnoteline',
            name='credit_note',
            field=models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='lines', to='billing.creditnote', verbose_name='credit note'),
        ),
        migrations.AddField(
            model_name='creditnoteline',
            name='invoice_line',
            field=models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='credit_note_lines', to='billing.invoiceline', verbose_name='invoice line'),
        ),
        migrations.AddField(
            model_name='creditnotetax',
            name='credit_note',
            field=models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='taxes', to='billing.creditnote', verbose_name='credit note'),
        ),
        migrations.AddField(
            model_name='document',
            name='credit_note',
            field=models.OneToOneField(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='document', to='billing.creditnote', verbose_name='credit note'),
        ),
        migrations.AddField(
            model_name='document',
            name='payment',
            field=models.OneToOneField(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='receipt', to='billing.payment', verbose_name='payment'),
        ),
        migrations.AddField(
            model_name='invoicediscount',
            name='invoice',
            field=models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='discounts', to='billing.invoice', verbose_name='invoice'),
        ),
        migrations.AddField(
            model_name='invoicediscount',
            name='redemption',
            field=models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='discounts', to='billing.couponredemption', verbose_name='coupon'),
        ),
        migrations.AddField(
            model_name='mailreport',
            name='delivery',
            field=models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='reports', to='billing.delivery', verbose_name='delivery'),
        ),
        migrations.AddField(
            model_name='numbercounter',
            name='series',
            field=models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='counters', to='billing.numberseries', verbose_name='series'),
        ),
        migrations.AddField(
            model_name='creditnote',
            name='counter',
            field=models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to='billing.numbercounter'),
        ),
        migrations.AddField(
            model_name='invoice',
            name='counter',
            field=models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='billing.numbercounter'),
        ),
        migrations.AddField(
            model_name='paymentallocation',
            name='invoice',
            field=models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='allocations', to='billing.invoice', verbose_name='invoice'),
        ),
        migrations.AddField(
            model_name='paymentallocation',
            name='payment',
            field=models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='allocations', to='billing.payment', verbose_name='payment'),
        ),
        migrations.AddConstraint(
            model_name='suppressedaddress',
            constraint=models.UniqueConstraint(condition=models.Q(('lifted_at__isnull', True)), fields=('address',), name='suppressed_address_once_at_a_time'),
        ),
        migrations.AddConstraint(
            model_name='taxrate',
            constraint=models.UniqueConstraint(fields=('country', 'region', 'tax_class', 'valid_from'), name='tax_rate_once_from_a_day'),
        ),
        migrations.AddConstraint(
            model_name='taxrate',
            constraint=models.CheckConstraint(condition=models.Q(('rate_pct__gte', 0), ('rate_pct__lte', 100)), name='tax_rate_0_to_100'),
        ),
        migrations.AddConstraint(
            model_name='taxrate',
            constraint=models.CheckConstraint(condition=models.Q(('country__regex', '^[A-Z]{2}$')), name='tax_rate_country_is_a_code'),
        ),
        migrations.AddConstraint(
            model_name='taxrate',
            constraint=models.CheckConstraint(condition=models.Q(('valid_until__isnull', True), ('valid_until__gt', models.F('valid_from')), _connector='OR'), name='tax_rate_until_after_from'),
        ),
        migrations.AddField(
            model_name='taxregistration',
            name='billing_entity',
            field=models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='tax_registrations', to='billing.billingentity', verbose_name='billing entity'),
        ),
        migrations.AddConstraint(
            model_name='billingprofile',
            constraint=models.CheckConstraint(condition=models.Q(('grace_minutes__isnull', True), ('grace_minutes__lte', 86400), _connector='OR'), name='billing_profile_grace_up_to_sixty_days'),
        ),
        migrations.AddConstraint(
            model_name='billingprofile',
            constraint=models.CheckConstraint(condition=models.Q(('tax_exemption_code', ''), models.Q(('tax_exemption_reason', ''), _negated=True), _connector='OR'), name='billing_profile_code_with_a_reason'),
        ),
        migrations.AddConstraint(
            model_name='couponredemption',
            constraint=models.UniqueConstraint(condition=models.Q(('ended_at__isnull', True)), fields=('coupon', 'customer'), name='coupon_once_per_customer'),
        ),
        migrations.AddConstraint(
            model_name='creditentry',
            constraint=models.UniqueConstraint(fields=('credit', 'invoice', 'kind'), name='credit_entry_once_per_invoice'),
        ),
        migrations.AddConstraint(
            model_name='creditentry',
            constraint=models.UniqueConstraint(condition=models.Q(('kind', 'granted')), fields=('credit',), name='credit_granted_once'),
        ),
        migrations.AddConstraint(
            model_name='creditentry',
            constraint=models.UniqueConstraint(condition=models.Q(('kind', 'expired')), fields=('credit',), name='credit_expires_once'),
        ),
        migrations.AddConstraint(
            model_name='creditentry',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('amount_minor__gt', 0), ('kind__in', ['granted', 'returned'])), models.Q(('amount_minor__lt', 0), ('kind__in', ['used', 'expired', 'voided', 'refunded'])), _connector='OR'), name='credit_entry_sign_by_kind'),
        ),
        migrations.AddConstraint(
            model_name='creditentry',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('invoice__isnull', False), ('kind__in', ['used', 'returned'])), models.Q(models.Q(('kind__in', ['used', 'returned']), _negated=True), ('invoice__isnull', True)), _connector='OR'), name='credit_entry_names_its_invoice'),
        ),
        migrations.AddConstraint(
            model_name='credit',
            constraint=models.UniqueConstraint(fields=('customer', 'reference'), name='credit_reference_once_per_customer'),
        ),
        migrations.AddConstraint(
            model_name='credit',
            constraint=models.CheckConstraint(condition=models.Q(('amount_minor__gt', 0), ('cost_basis_minor__gte', 0)), name='credit_amount_positive'),
        ),
        migrations.AddConstraint(
            model_name='credit',
            constraint=models.CheckConstraint(condition=models.Q(('currency__regex', '^[A-Z]{3}$')), name='credit_currency_is_a_code'),
        ),
        migrations.AddConstraint(
            model_name='credit',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('credit_note__isnull', False), ('kind', 'credit_note')), models.Q(models.Q(('kind', 'credit_note'), _negated=True), ('credit_note__isnull', True)), _connector='OR'), name='credit_of_a_credit_note'),
        ),
        migrations.AddConstraint(
            model_name='creditnoteline',
            constraint=models.UniqueConstraint(fields=('credit_note', 'position'), name='credit_note_line_position_unique'),
        ),
        migrations.AddConstraint(
            model_name='creditnoteline',
            constraint=models.UniqueConstraint(fields=('credit_note', 'invoice_line'), name='credit_note_line_once_per_invoice_line'),
        ),
        migrations.AddConstraint(
            model_name='creditnoteline',
            constraint=models.CheckConstraint(condition=models.Q(('amount_minor__gt', 0), ('discount_minor__gte', 0), ('discount_minor__lte', models.F('amount_minor'))), name='credit_note_line_amounts_positive'),
        ),
        migrations.AddConstraint(
            model_name='creditnotetax',
            constraint=models.UniqueConstraint(fields=('credit_note', 'category', 'rate_pct'), name='credit_note_tax_once_per_category_and_rate'),
        ),
        migrations.AddConstraint(
            model_name='creditnotetax',
            constraint=models.CheckConstraint(condition=models.Q(('amount_minor__gte', 0)), name='credit_note_tax_not_negative'),
        ),
        migrations.AddConstraint(
            model_name='invoicediscount',
            constraint=models.UniqueConstraint(fields=('invoice', 'position'), name='invoice_discount_position_unique'),
        ),
        migrations.AddConstraint(
            model_name='invoicediscount',
            constraint=models.UniqueConstraint(fields=('invoice', 'redemption'), name='invoice_discount_once_per_coupon'),
        ),
        migrations.AddConstraint(
            model_name='invoicediscount',
            constraint=models.CheckConstraint(condition=models.Q(('amount_minor__gt', 0)), name='invoice_discount_positive'),
        ),
        migrations.AddConstraint(
            model_name='numbercounter',
            constraint=models.UniqueConstraint(fields=('series', 'year'), name='number_counter_once_per_year'),
        ),
        migrations.AddIndex(
            model_name='creditnote',
            index=models.Index(fields=['customer', '-issued_on'], name='credit_note_by_customer'),
        ),
        migrations.AddConstraint(
            model_name='creditnote',
            constraint=models.UniqueConstraint(fields=('counter', 'sequence'), name='credit_note_sequence_unique_in_counter'),
        ),
        migrations.AddConstraint(
            model_name='creditnote',
            constraint=models.UniqueConstraint(fields=('invoice', 'reference'), name='credit_note_reference_once_per_invoice'),
        ),
        migrations.AddConstraint(
            model_name='creditnote',
            constraint=models.CheckConstraint(condition=models.Q(('total_minor', django.db.models.expressions.CombinedExpression(django.db.models.expressions.CombinedExpression(models.F('subtotal_minor'), '-', models.F('discount_minor')), '+', models.F('tax_minor'))), ('total_minor__gt', 0)), name='credit_note_total_adds_up'),
        ),
        migrations.AddConstraint(
            model_name='creditnote',
            constraint=models.CheckConstraint(condition=models.Q(('total_minor', django.db.models.expressions.CombinedExpression(django.db.models.expressions.CombinedExpression(models.F('to_invoice_minor'), '+', models.F('to_balance_minor')), '+', models.F('to_refund_minor')))), name='credit_note_is_settled'),
        ),
        migrations.AddConstraint(
            model_name='creditnote',
            constraint=models.CheckConstraint(condition=models.Q(('to_balance_minor__gte', 0), ('to_invoice_minor__gte', 0), ('to_refund_minor__gte', 0)), name='credit_note_settlement_not_negative'),
        ),
        migrations.AddConstraint(
            model_name='paymentallocation',
            constraint=models.CheckConstraint(condition=models.Q(('amount_minor', 0), _negated=True), name='payment_allocation_not_zero'),
        ),
        migrations.AddConstraint(
            model_name='taxregistration',
            constraint=models.UniqueConstraint(fields=('billing_entity', 'country', 'region', 'valid_from'), name='tax_registration_once_from_a_day'),
        ),
        migrations.AddConstraint(
            model_name='taxregistration',
            constraint=models.CheckConstraint(condition=models.Q(('country__regex', '^[A-Z]{2}$')), name='tax_registration_country_is_a_code'),
        ),
        migrations.AddConstraint(
            model_name='taxregistration',
            constraint=models.CheckConstraint(condition=models.Q(('valid_until__isnull', True), ('valid_until__gt', models.F('valid_from')), _connector='OR'), name='tax_registration_until_after_from'),
        ),
    ]
