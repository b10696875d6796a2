"""The database's own guard over the audit log: triggers that refuse to change or remove an entry.

Whoever owns the table can take them away; the chain of digests shows what was done then.
"""

from typing import Final

TABLE: Final = "jobs_auditentry"
_TOLD: Final = "audit entries are never changed or removed"
_POSTGRESQL: Final = [
    f"""
    CREATE FUNCTION jobs_audit_refuse() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN RAISE EXCEPTION '{_TOLD}' USING ERRCODE = 'restrict_violation'; END $$
    """,
    f"""
    CREATE TRIGGER jobs_audit_kept BEFORE UPDATE OR DELETE ON {TABLE}
    FOR EACH ROW EXECUTE FUNCTION jobs_audit_refuse()
    """,
    f"""
    CREATE TRIGGER jobs_audit_whole BEFORE TRUNCATE ON {TABLE}
    FOR EACH STATEMENT EXECUTE FUNCTION jobs_audit_refuse()
    """,
]
_POSTGRESQL_OFF: Final = [
    f"DROP TRIGGER IF EXISTS jobs_audit_whole ON {TABLE}",
    f"DROP TRIGGER IF EXISTS jobs_audit_kept ON {TABLE}",
    "DROP FUNCTION IF EXISTS jobs_audit_refuse()",
]
_SQLITE: Final = [
    f"CREATE TRIGGER jobs_audit_no_{act} BEFORE {act} ON {TABLE} "
    f"BEGIN SELECT RAISE(ABORT, '{_TOLD}'); END"
    for act in ("update", "delete")
]
_SQLITE_OFF: Final = [f"DROP TRIGGER IF EXISTS jobs_audit_no_{act}" for act in ("update", "delete")]


def guarding(vendor: str) -> list[str]:
    """Return the statements that set the guard, on that kind of database."""
    return _POSTGRESQL if vendor == "postgresql" else _SQLITE


def unguarding(vendor: str) -> list[str]:
    """Return the statements that take it away."""
    return _POSTGRESQL_OFF if vendor == "postgresql" else _SQLITE_OFF
