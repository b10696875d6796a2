# Queues that people pause.

from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ("jobs", "0003_job_latest_failed"),
    ]

    operations = [
        migrations.CreateModel(
            name="Queue",
            fields=[
                ("name", models.CharField(max_length=60, primary_key=True, serialize=False)),
                ("paused_at", models.DateTimeField(blank=True, null=True)),
                ("paused_by", models.CharField(blank=True, default="", max_length=200)),
            ],
            options={
                "permissions": (("pause_queue", "Can pause and resume queues"),),
                "default_permissions": ("view",),
            },
        ),
    ]
