"""The audit log: what people and programs did, and whether anyone has changed it since.

manage.py jobs audit verify ends with 1 if an entry was changed, put in or taken out.
"""

from argparse import ArgumentParser
from dataclasses import asdict
from datetime import UTC, datetime
from typing import Any

from jobs.domain.errors import InvalidOption
from jobs.management.arguments import duration
from jobs.management.exit_codes import ExitCode
from jobs.management.output import Output, ago, plain
from jobs.management.tables import Column
from jobs.models import AuditEntry
from jobs.selectors.audit import check_chain

_COLUMNS = [
    Column("when"),
    Column("who", text=16),
    Column("what"),
    Column("on", text=12),
    Column("tenant", spare=3),
    Column("address", spare=2),
    Column("details", text=20, folds=False, spare=1),
]


def add_arguments(parser: ArgumentParser) -> None:
    """Declare the verb's arguments."""
    parser.add_argument("act", nargs="?", choices=["list", "verify"], default="list")
    parser.add_argument("--actor", help="what this one did, such as a user's name")
    parser.add_argument("--action", help="such as job.cancel")
    parser.add_argument("--target", help="the id of the job, schedule or queue")
    parser.add_argument("--tenant", help="what was done to this tenant's")
    parser.add_argument("--since", type=duration, help="in the last, such as 1h")
    parser.add_argument("--limit", type=int, default=50, help="at most so many (default 50)")


def run(options: dict[str, Any], output: Output) -> ExitCode:
    """List, or verify."""
    if options["act"] == "verify":
        return _verify(output)
    if not 1 <= options["limit"] <= 10_000:
        raise InvalidOption(f"--limit must be from 1 to 10000, not {options['limit']}")
    since = options["since"]
    wanted = {
        "actor": options["actor"],
        "action": options["action"],
        "target_id": options["target"],
        "tenant": options["tenant"],
        "at__gte": datetime.now(UTC) - since if since else None,
    }
    given = {name: value for name, value in wanted.items() if value is not None}
    entries = AuditEntry.objects.filter(**given).order_by("-id")[: options["limit"]]
    if output.as_json:
        output.json([_told(entry) for entry in entries])
    elif not entries:
        output.line("nothing was done that matches")
    else:
        output.table(_COLUMNS, [_row(entry) for entry in entries])
    return ExitCode.DONE


def _verify(output: Output) -> ExitCode:
    found = check_chain()
    if output.as_json:
        output.json({**asdict(found), "whole": found.whole})
    elif found.whole:
        older = f", {found.older} of them older than the chain" if found.older else ""
        output.line(f"[green]✔[/] {found.entries} entries, none changed{older}")
        output.line(f"the last digest: {found.head or 'none yet'}")
    elif found.broken_at is not None:
        output.line(
            f"[red]✘[/] entry {found.broken_at} is not as it was written, or one before it is gone"
        )
    else:
        output.line(f"[red]✘[/] the last {found.missing} entries are gone")
    return ExitCode.DONE if found.whole else ExitCode.FAILED


def _told(entry: AuditEntry) -> dict[str, Any]:
    names = ("id", "actor", "action", "tenant", "target_type", "target_id", "details", "address",
             "request_id", "digest")  # fmt: skip
    return {"at": entry.at.isoformat(), **{name: getattr(entry, name) for name in names}}


def _row(entry: AuditEntry) -> list[object]:
    details = ", ".join(f"{name}: {value}" for name, value in entry.details.items())
    return [
        ago(entry.at),
        plain(entry.actor),
        entry.action,
        plain(f"{entry.target_type} {entry.target_id}"),
        entry.tenant or "-",
        entry.address or "-",
        plain(details, width=120),
    ]
