# The dead letters in the order in which they failed, for the overview.

from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ("jobs", "0002_job_scheduled_for"),
    ]

    operations = [
        migrations.AddIndex(
            model_name="job",
            index=models.Index(
                condition=models.Q(("state", "failed")),
                fields=["state", "-finished_at"],
                name="job_latest_failed",
            ),
        ),
    ]
