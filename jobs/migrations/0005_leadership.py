# Who keeps time.

from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ("jobs", "0004_queue"),
    ]

    operations = [
        migrations.CreateModel(
            name="Leadership",
            fields=[
                ("duty", models.CharField(max_length=40, primary_key=True, serialize=False)),
                ("holder", models.CharField(max_length=300)),
                ("rank", models.PositiveSmallIntegerField()),
                ("since", models.DateTimeField()),
                ("expires_at", models.DateTimeField()),
            ],
            options={"default_permissions": ("view",)},
        ),
    ]
