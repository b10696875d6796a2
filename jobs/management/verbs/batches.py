"""The batches: list them, look at one, or cancel it.

manage.py jobs batches show 01998f3a-…
"""

from argparse import ArgumentParser
from typing import Any

from pydantic import TypeAdapter

from jobs.domain import wire
from jobs.management.actor import command_line_actor
from jobs.management.exit_codes import ExitCode
from jobs.management.output import Output, ago, plain, state
from jobs.management.tables import Column
from jobs.models import Batch
from jobs.selectors.batches import describe_batch, describe_batches, get_batch
from jobs.services.batches import cancel_batch

_COLUMNS = [
    Column("batch"),
    Column("name", text=14, spare=1),
    Column("state"),
    Column("ended"),
    Column("created", spare=2),
]
_BATCHES = TypeAdapter(list[wire.Batch])


def add_arguments(parser: ArgumentParser) -> None:
    """Declare the verb's arguments."""
    acts = parser.add_subparsers(dest="act", metavar="what", parser_class=ArgumentParser)
    listing = acts.add_parser("list", help="list them, newest first (the default)")
    listing.add_argument("--limit", type=int, default=20, help="so many at most (default 20)")
    for act, told in (
        ("show", "look at one"),
        ("cancel", "cancel every job of one that has not ended"),
    ):
        acts.add_parser(act, help=told).add_argument("batch_id", help="its whole id")


def run(options: dict[str, Any], output: Output) -> ExitCode:
    """Do what was asked."""
    if options.get("batch_id") is None:
        _list(options.get("limit") or 20, output)
        return ExitCode.DONE
    batch = get_batch(options["batch_id"])
    if options["act"] == "cancel":
        count = cancel_batch(batch, actor=command_line_actor())
        output.remark(f"{count} jobs cancelled")
        batch.refresh_from_db()
    _show(wire.Batch.model_validate(describe_batch(batch)), output)
    return ExitCode.DONE


def _list(limit: int, output: Output) -> None:
    newest = list(Batch.objects.order_by("-pk")[:limit])
    batches = _BATCHES.validate_python(describe_batches(newest))
    if output.as_json:
        output.wire(batches)
    elif not batches:
        output.line("there are no batches")
    else:
        output.table(_COLUMNS, [_row(batch) for batch in batches])


def _row(batch: wire.Batch) -> list[object]:
    ended = f"{batch.ended} of {batch.total} ({batch.percent} %)"
    return [str(batch.id), plain(batch.name) or "-", batch.state, ended, ago(batch.created_at)]


def _show(batch: wire.Batch, output: Output) -> None:
    if output.as_json:
        output.wire(batch)
        return
    output.line(f"[bold]{plain(batch.name) or 'batch'}[/]  {batch.state}  {batch.id}")
    facts = {
        "ended": f"{batch.ended} of {batch.total} ({batch.percent} %)",
        "jobs": ", ".join(f"{count} {state(name)}" for name, count in batch.counts.items()),
        "leads to": ", ".join(f"{moment}: {led_to}" for moment, led_to in batch.leads_to.items()),
        "created": ago(batch.created_at),
        "finished": ago(batch.finished_at) if batch.finished_at else None,
        "error": plain(batch.last_error, width=500) if batch.last_error else None,
    }
    for name, value in facts.items():
        if value:
            output.line(f"  [dim]{name:<9}[/] {value}")
