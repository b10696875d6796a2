# Jobs that have waited in vain.

from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ("jobs", "0005_leadership"),
    ]

    operations = [
        migrations.AddField(
            model_name="job",
            name="expires_at",
            field=models.DateTimeField(blank=True, null=True),
        ),
        migrations.AddIndex(
            model_name="job",
            index=models.Index(
                condition=models.Q(
                    ("expires_at__isnull", False),
                    ("state__in", ["blocked", "queued", "retrying", "scheduled"]),
                ),
                fields=["expires_at"],
                name="job_expiring",
            ),
        ),
    ]
