"""Whose jobs and schedules are, and whose idempotency keys do not collide."""

import django.core.validators
import django.db.models.deletion
import jobs.domain.states
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ('jobs', '0012_worker_profiles'),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name='Tenant',
            fields=[
                ('slug', models.CharField(max_length=50, primary_key=True, serialize=False, validators=[django.core.validators.RegexValidator('^[a-z][a-z0-9-]{0,49}$', 'Lower-case letters, digits and dashes.')])),
                ('name', models.CharField(max_length=100)),
                ('max_running', models.PositiveIntegerField(blank=True, help_text='Jobs of it that run at once, over all workers. Empty: any number.', null=True, validators=[django.core.validators.MinValueValidator(1)])),
                ('max_ready', models.PositiveIntegerField(blank=True, help_text='Jobs of it that are ready and wait; more are refused. Empty: any number.', null=True, validators=[django.core.validators.MinValueValidator(1)])),
                ('created_at', models.DateTimeField(auto_now_add=True)),
            ],
            options={
                'default_permissions': ('view', 'add', 'change'),
            },
        ),
        migrations.CreateModel(
            name='TenantMember',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
            ],
        ),
        migrations.AddField(
            model_name='tenantmember',
            name='tenant',
            field=models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='members', to='jobs.tenant'),
        ),
        migrations.AddField(
            model_name='tenantmember',
            name='user',
            field=models.OneToOneField(on_delete=django.db.models.deletion.CASCADE, related_name='tenancy', to=settings.AUTH_USER_MODEL),
        ),
        migrations.AddField(
            model_name='job',
            name='tenant',
            field=models.CharField(blank=True, db_default='', default='', max_length=50),
        ),
        migrations.AddField(
            model_name='schedule',
            name='tenant',
            field=models.CharField(blank=True, db_default='', default='', max_length=50),
        ),
        migrations.AddField(
            model_name='auditentry',
            name='tenant',
            field=models.CharField(blank=True, db_default='', default='', max_length=50),
        ),
        migrations.AddIndex(
            model_name='job',
            index=models.Index(condition=models.Q(('tenant', ''), _negated=True), fields=['tenant', '-id'], name='job_by_tenant'),
        ),
        migrations.AddIndex(
            model_name='job',
            index=models.Index(condition=models.Q(('state', jobs.domain.states.State['QUEUED']), models.Q(('tenant', ''), _negated=True)), fields=['tenant'], name='job_ready_of_tenant'),
        ),
        migrations.RemoveConstraint(
            model_name='job',
            name='job_idempotency_key',
        ),
        migrations.AddConstraint(
            model_name='job',
            constraint=models.UniqueConstraint(condition=models.Q(('idempotency_key__isnull', False)), fields=('tenant', 'job_type', 'idempotency_key'), name='job_tenant_idempotency_key'),
        ),
        migrations.AddIndex(
            model_name='auditentry',
            index=models.Index(condition=models.Q(('tenant', ''), _negated=True), fields=['tenant', '-id'], name='audit_tenant'),
        ),
    ]
