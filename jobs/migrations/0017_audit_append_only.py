"""Have the database refuse to change or remove an audit entry."""

from typing import Any

from django.db import migrations

from jobs.models import audit_guard


def _guard(_apps: Any, schema_editor: Any) -> None:
    for statement in audit_guard.guarding(schema_editor.connection.vendor):
        schema_editor.execute(statement)


def _unguard(_apps: Any, schema_editor: Any) -> None:
    for statement in audit_guard.unguarding(schema_editor.connection.vendor):
        schema_editor.execute(statement)


class Migration(migrations.Migration):
    dependencies = [
        ("jobs", "0016_audit_chain"),
    ]

    operations = [migrations.RunPython(_guard, _unguard)]
