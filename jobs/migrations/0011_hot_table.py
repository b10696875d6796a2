"""Have PostgreSQL clean up the table of jobs soon: each job leaves two dead rows behind."""

from typing import Any

from django.db import migrations

# As it comes, PostgreSQL waits until a fifth of the table is dead, and cleans up slowly: until then
# every take steps over the dead entries at the front of the index of ready jobs.
_SET = """
ALTER TABLE jobs_job SET (
    fillfactor = 90,
    autovacuum_vacuum_threshold = 10000, autovacuum_vacuum_scale_factor = 0.01,
    autovacuum_vacuum_cost_delay = 0,
    autovacuum_analyze_threshold = 10000, autovacuum_analyze_scale_factor = 0.02
)
"""
_RESET = """
ALTER TABLE jobs_job RESET (
    fillfactor, autovacuum_vacuum_threshold, autovacuum_vacuum_scale_factor,
    autovacuum_vacuum_cost_delay, autovacuum_analyze_threshold, autovacuum_analyze_scale_factor
)
"""


def _run(statement: str) -> Any:
    def on_postgresql(_apps: Any, schema_editor: Any) -> None:
        if schema_editor.connection.vendor == "postgresql":
            schema_editor.execute(statement)

    return on_postgresql


class Migration(migrations.Migration):
    dependencies = [("jobs", "0010_leaner_indexes")]
    operations = [migrations.RunPython(_run(_SET), _run(_RESET))]
