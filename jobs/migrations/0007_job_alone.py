# Jobs that their worker may have died of.

from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ("jobs", "0006_job_expires_at"),
    ]

    operations = [
        migrations.AddField(
            model_name="job",
            name="alone",
            field=models.BooleanField(default=False),
        ),
    ]
