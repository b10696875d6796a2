"""What jobs are found by: their tags, and the user on whose behalf they run."""

import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ('jobs', '0013_tenants'),
    ]

    operations = [
        migrations.CreateModel(
            name='JobTag',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('tag', models.CharField(max_length=50)),
            ],
            options={
                'default_permissions': ('view',),
            },
        ),
        migrations.AddField(
            model_name='jobtag',
            name='job',
            field=models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='tags', to='jobs.job'),
        ),
        migrations.AddConstraint(
            model_name='jobtag',
            constraint=models.UniqueConstraint(fields=('tag', 'job'), name='job_tag'),
        ),
        migrations.AddIndex(
            model_name='job',
            index=models.Index(condition=models.Q(('created_by__isnull', False)), fields=['created_by', '-id'], name='job_by_owner'),
        ),
    ]
