"""The schedules that every site begins with."""

from django.db import migrations

LOW = 3
SCHEDULES = {
    "maintenance.cleanup": "*/5 * * * *",
    "maintenance.health": "* * * * *",
}


def create(apps, schema_editor):
    """Add the schedules; one of that name that is there already stays as it is.

    Their first occurrence is left to the timekeeper.
    """
    schedules = apps.get_model("jobs", "Schedule").objects.using(schema_editor.connection.alias)
    for name, cron in SCHEDULES.items():
        schedules.get_or_create(
            name=name,
            defaults={
                "job_type": name,
                "cron": cron,
                "timezone": "UTC",
                "params": {},
                "priority": LOW,
                "enabled": True,
            },
        )


def remove(apps, schema_editor):
    """Remove the schedules of those names; their jobs stay."""
    schedules = apps.get_model("jobs", "Schedule").objects.using(schema_editor.connection.alias)
    schedules.filter(name__in=SCHEDULES).delete()


class Migration(migrations.Migration):
    dependencies = [("jobs", "0001_initial"), ("maintenance", "0001_initial")]
    operations = [migrations.RunPython(create, remove)]
