
import django.contrib.postgres.fields
import django.db.models.deletion
import django.db.models.functions.text
from decimal import Decimal
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):

    initial = True

    dependencies = [
        ('auth', '0012_alter_user_first_name_max_length'),
    ]

    operations = [
        migrations.CreateModel(
            name='User',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('password', models.CharField(max_length=128, verbose_name='password')),
                ('last_login', models.DateTimeField(blank=True, null=True, verbose_name='last login')),
                ('is_superuser', models.BooleanField(default=False, help_text='Designates that this user has all permissions without explicitly assigning them.', verbose_name='superuser status')),
                ('email', models.EmailField(max_length=254, unique=True, verbose_name='e-mail')),
                ('full_name', models.CharField(blank=True, max_length=200, verbose_name='full name')),
                ('is_staff', models.BooleanField(default=False, help_text='May sign in to the finance desk.', verbose_name='finance staff')),
                ('is_active', models.BooleanField(default=True, verbose_name='active')),
                ('created_at', models.DateTimeField(auto_now_add=True, verbose_name='created at')),
                ('groups', models.ManyToManyField(blank=True, help_text='The groups this user belongs to. A user will get all permissions granted to each of their groups.', related_name='user_set', related_query_name='user', to='auth.group', verbose_name='groups')),
                ('user_permissions', models.ManyToManyField(blank=True, help_text='Specific permissions for this user.', related_name='user_set', related_query_name='user', to='auth.permission', verbose_name='user permissions')),
            ],
            options={
                'verbose_name': 'user',
                'verbose_name_plural': 'users',
            },
        ),
        migrations.CreateModel(
            name='Customer',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('external_id', models.CharField(help_text='How your own systems name it.', max_length=255, unique=True, verbose_name='external id')),
                ('name', models.CharField(max_length=255, verbose_name='name')),
                ('legal_name', models.CharField(blank=True, help_text='Printed on invoices; the name if empty.', max_length=255, verbose_name='legal name')),
                ('email', models.EmailField(blank=True, max_length=254, verbose_name='e-mail for invoices')),
                ('address_line1', models.CharField(blank=True, max_length=255, verbose_name='address')),
                ('address_line2', models.CharField(blank=True, max_length=255, verbose_name='address, second line')),
                ('postal_code', models.CharField(blank=True, max_length=32, verbose_name='postal code')),
                ('city', models.CharField(blank=True, max_length=128, verbose_name='city')),
                ('region', models.CharField(blank=True, max_length=128, verbose_name='state or region')),
                ('country', models.CharField(blank=True, help_text='Two letters, ISO 3166.', max_length=2, verbose_name='country')),
                ('tax_id', models.CharField(blank=True, max_length=64, verbose_name='tax id')),
                ('tax_rate_pct', models.DecimalField(decimal_places=4, default=Decimal('0'), max_digits=7, verbose_name='tax rate in percent')),
                ('purchase_order', models.CharField(blank=True, help_text='Printed as “your reference”.', max_length=64, verbose_name='purchase order')),
                ('currency', models.CharField(default='EUR', max_length=3, verbose_name='currency')),
                ('timezone', models.CharField(default='UTC', max_length=64, verbose_name='time zone')),
                ('locale', models.CharField(default='en', max_length=16, verbose_name='language of documents')),
                ('payment_terms_days', models.PositiveIntegerField(default=30, verbose_name='payment terms in days')),
                ('created_at', models.DateTimeField(verbose_name='created at')),
                ('archived_at', models.DateTimeField(blank=True, null=True, verbose_name='archived at')),
            ],
            options={
                'verbose_name': 'customer',
                'verbose_name_plural': 'customers',
                'constraints': [models.CheckConstraint(condition=models.Q(('external_id', ''), _negated=True), name='customer_external_id_not_empty'), models.CheckConstraint(condition=models.Q(('tax_rate_pct__gte', 0), ('tax_rate_pct__lte', 100)), name='customer_tax_rate_0_to_100'), models.CheckConstraint(condition=models.Q(('payment_terms_days__lte', 365)), name='customer_payment_terms_up_to_a_year'), models.CheckConstraint(condition=models.Q(('currency__regex', '^[A-Z]{3}$')), name='customer_currency_is_a_code'), models.CheckConstraint(condition=models.Q(('country__regex', '^([A-Z]{2})?$')), name='customer_country_is_a_code')],
            },
        ),
        migrations.CreateModel(
            name='AuditEvent',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('at', models.DateTimeField(verbose_name='at')),
                ('actor_kind', models.CharField(max_length=16, verbose_name='kind of actor')),
                ('actor_label', models.CharField(max_length=254, verbose_name='actor')),
                ('action', models.CharField(max_length=64, verbose_name='action')),
                ('object_type', models.CharField(max_length=64, verbose_name='object type')),
                ('object_id', models.CharField(max_length=255, verbose_name='object')),
                ('before', models.JSONField(default=dict, verbose_name='before')),
                ('after', models.JSONField(default=dict, verbose_name='after')),
                ('customer', models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='customers.customer', verbose_name='customer')),
            ],
            options={
                'verbose_name': 'audit event',
                'verbose_name_plural': 'audit trail',
            },
        ),
        migrations.CreateModel(
            name='ApiKey',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('name', models.CharField(help_text='The system that uses it.', max_length=100, verbose_name='name')),
                ('prefix', models.CharField(help_text='The public part, seen in logs and lists.', max_length=24, unique=True, verbose_name='prefix')),
                ('secret_hash', models.CharField(editable=False, max_length=64)),
                ('scopes', django.contrib.postgres.fields.ArrayField(base_field=models.CharField(choices=[('events:write', 'send events'), ('read', 'read everything'), ('write', 'change customers, meters, plans and subscriptions')], max_length=32), size=None, verbose_name='scopes')),
                ('created_at', models.DateTimeField(verbose_name='created at')),
                ('expires_at', models.DateTimeField(blank=True, null=True, verbose_name='expires at')),
                ('revoked_at', models.DateTimeField(blank=True, null=True, verbose_name='revoked at')),
                ('last_used_at', models.DateTimeField(blank=True, null=True, verbose_name='last used at')),
                ('customer', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='api_keys', to='customers.customer', verbose_name='only for customer')),
            ],
            options={
                'verbose_name': 'API key',
                'verbose_name_plural': 'API keys',
            },
        ),
        migrations.CreateModel(
            name='PortalUser',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('created_at', models.DateTimeField(verbose_name='created at')),
                ('customer', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='portal_users', to='customers.customer', verbose_name='customer')),
                ('user', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='portal_access', to=settings.AUTH_USER_MODEL, verbose_name='person')),
            ],
            options={
                'verbose_name': 'portal user',
                'verbose_name_plural': 'portal users',
            },
        ),
        migrations.CreateModel(
            name='Subject',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('key', models.CharField(max_length=255, unique=True, verbose_name='key in events')),
                ('customer', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='subjects', to='customers.customer', verbose_name='customer')),
            ],
            options={
                'verbose_name': 'subject',
                'verbose_name_plural': 'subjects',
            },
        ),
        migrations.AddConstraint(
            model_name='user',
            constraint=models.UniqueConstraint(django.db.models.functions.text.Lower('email'), name='user_email_unique_in_any_case'),
        ),
        migrations.AddIndex(
            model_name='auditevent',
            index=models.Index(fields=['object_type', 'object_id', 'at'], name='audit_by_object'),
        ),
        migrations.AddIndex(
            model_name='auditevent',
            index=models.Index(fields=['customer', 'at'], name='audit_by_customer'),
        ),
        migrations.AddConstraint(
            model_name='portaluser',
            constraint=models.UniqueConstraint(fields=('user', 'customer'), name='portal_user_once_per_customer'),
        ),
        migrations.AddConstraint(
            model_name='subject',
            constraint=models.CheckConstraint(condition=models.Q(('key', ''), _negated=True), name='subject_key_not_empty'),
        ),
    ]
