"""What a drill goes by beside the job rows: what handlers did, and which completions counted."""

from collections import Counter
from pathlib import Path
from uuid import UUID

from django.db import connection

_TABLE = "drill_completion"
_POSTGRESQL = f"""
CREATE TABLE IF NOT EXISTS {_TABLE} (job_id uuid NOT NULL);
CREATE OR REPLACE FUNCTION {_TABLE}_note() RETURNS trigger AS $$
BEGIN INSERT INTO {_TABLE} VALUES (NEW.id); RETURN NULL; END $$ LANGUAGE plpgsql;
CREATE OR REPLACE TRIGGER {_TABLE}_note AFTER UPDATE OF state ON jobs_job FOR EACH ROW
    WHEN (NEW.state = 'completed') EXECUTE FUNCTION {_TABLE}_note();
"""
_SQLITE = f"""
CREATE TABLE IF NOT EXISTS {_TABLE} (job_id text NOT NULL);
CREATE TRIGGER IF NOT EXISTS {_TABLE}_note AFTER UPDATE OF state ON jobs_job
    WHEN NEW.state = 'completed' BEGIN INSERT INTO {_TABLE} VALUES (NEW.id); END;
"""


def watch_completions() -> None:
    """Have the database itself note each time that a job becomes completed."""
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            cursor.execute(_POSTGRESQL)
        else:
            for statement in (_SQLITE.split(";\n", 1)[0], _SQLITE.split(";\n", 1)[1]):
                cursor.execute(statement)
        cursor.execute(f"DELETE FROM {_TABLE}")


def stop_watching() -> None:
    """Drop the note-taking."""
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            cursor.execute(f"DROP TRIGGER IF EXISTS {_TABLE}_note ON jobs_job")
        else:
            cursor.execute(f"DROP TRIGGER IF EXISTS {_TABLE}_note")
        cursor.execute(f"DROP TABLE IF EXISTS {_TABLE}")


def completions() -> Counter[UUID]:
    """Return how often each job became completed."""
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT job_id FROM {_TABLE}")
        return Counter(UUID(str(job_id)) for (job_id,) in cursor.fetchall())


class Witness:
    """The file that every run of a handler adds a line to."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def lines(self) -> list[str]:
        """Return what was written, in its order: label and what happened, as `7:begin`."""
        if not self.path.exists():
            return []
        return [line.split()[0] for line in self.path.read_text().splitlines() if line.strip()]

    def count(self, what: str) -> Counter[str]:
        """Return how often each label did this, such as `begin`."""
        pairs = [line.partition(":")[::2] for line in self.lines()]
        return Counter(label for label, did in pairs if did == what)
