# What there is to know of how a worker is.

from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ("jobs", "0007_job_alone"),
    ]

    operations = [
        migrations.AddField(
            model_name="worker",
            name="ailment",
            field=models.CharField(blank=True, default="", max_length=200),
        ),
        migrations.AddField(
            model_name="worker",
            name="memory_bytes",
            field=models.PositiveBigIntegerField(blank=True, null=True),
        ),
        migrations.AddField(
            model_name="worker",
            name="python_version",
            field=models.CharField(blank=True, default="", max_length=20),
        ),
    ]
