# How many final jobs have been removed.

from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ("jobs", "0008_worker_health"),
    ]

    operations = [
        migrations.CreateModel(
            name="Removal",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("day", models.DateField()),
                (
                    "state",
                    models.CharField(
                        choices=[
                            ("cancelled", "cancelled"),
                            ("completed", "completed"),
                            ("failed", "failed"),
                        ],
                        max_length=10,
                    ),
                ),
                ("count", models.PositiveBigIntegerField(default=0)),
            ],
            options={"default_permissions": ("view",)},
        ),
        migrations.AddConstraint(
            model_name="removal",
            constraint=models.UniqueConstraint(fields=("day", "state"), name="removal_day_state"),
        ),
    ]
