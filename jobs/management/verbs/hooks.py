"""Who may send webhooks, and the job type that each becomes: list, add, change and remove them.

A secret is shown once, when it is made:
manage.py jobs hooks add our-repo --kind github --type shop.on_push
"""

from argparse import ArgumentParser
from datetime import timedelta
from typing import Any

from django.conf import settings

from jobs.domain.hooks import HookKind
from jobs.management.actor import command_line_actor
from jobs.management.arguments import duration
from jobs.management.exit_codes import ExitCode
from jobs.management.output import Output, ago
from jobs.management.tables import Column
from jobs.models import HookSource
from jobs.services.hooks import (
    NewHookSource,
    create_source,
    get_source,
    remove_source,
    rotate_secret,
    switch_source,
)

_COLUMNS = [
    Column("source"),
    Column("kind"),
    Column("becomes"),
    Column("tenant", spare=1),
    Column("last received", spare=2),
    Column("state"),
]


def add_arguments(parser: ArgumentParser) -> None:
    """Declare the verb's arguments."""
    acts = parser.add_subparsers(dest="act", metavar="what", parser_class=ArgumentParser)
    acts.add_parser("list", help="list them (the default)")
    add = acts.add_parser("add", help="let someone send webhooks, and show the secret this once")
    add.add_argument("name", help="for the address, such as our-repo")
    add.add_argument("--kind", choices=[*map(str, HookKind)], required=True, help="who sends")
    add.add_argument("--type", dest="job_type", required=True, help="the job type each becomes")
    add.add_argument("--tenant", default="", help="whose the jobs are")
    add.add_argument("--secret", help="what the sender signs by; left out: a new one")
    rotate = acts.add_parser("rotate", help="give it a new secret, and show it this once")
    rotate.add_argument("name")
    rotate.add_argument("--secret", help="left out: a new one")
    rotate.add_argument(
        "--overlap", type=duration, default=timedelta(days=1),
        help="how long the old one still holds (default 1d)",
    )  # fmt: skip
    for act, told in (
        ("enable", "take its webhooks"),
        ("disable", "refuse them, as if it were not there"),
        ("remove", "take it away; its jobs stay"),
    ):
        acts.add_parser(act, help=told).add_argument("name")


def run(options: dict[str, Any], output: Output) -> ExitCode:
    """Do what was asked."""
    actor = command_line_actor()
    match options["act"]:
        case "add":
            names = ("kind", "job_type", "tenant", "secret")
            given = {name: options[name] for name in names}
            _show(create_source(options["name"], actor=actor, **given), output)
        case "rotate":
            source = get_source(options["name"])
            given = {"overlap": options["overlap"], "secret": options["secret"]}
            _show(rotate_secret(source, actor=actor, **given), output)
        case "enable" | "disable" as act:
            switch_source(get_source(options["name"]), enabled=act == "enable", actor=actor)
            _list(output)
        case "remove":
            remove_source(get_source(options["name"]), actor=actor)
            _list(output)
        case _:
            _list(output)
    return ExitCode.DONE


def _show(new: NewHookSource, output: Output) -> None:
    address = f"{settings.SITE_URL}/api/hooks/{new.source.name}"
    if output.as_json:
        output.json({**_told(new.source), "address": address, "secret": new.secret})
        return
    output.line(new.secret)
    output.remark(
        f"[dim]give it to the sender, with the address {address}: it is not shown again[/]"
    )


def _list(output: Output) -> None:
    sources = HookSource.objects.order_by("name")
    if output.as_json:
        output.json([_told(source) for source in sources])
    elif not sources:
        output.line("nobody sends webhooks; add someone with `manage.py jobs hooks add`")
    else:
        rows = [
            [
                source.name,
                source.kind,
                source.job_type,
                source.tenant or "-",
                ago(source.last_received_at) if source.last_received_at else "never",
                "enabled" if source.enabled else "disabled",
            ]
            for source in sources
        ]
        output.table(_COLUMNS, rows)


def _told(source: HookSource) -> dict[str, Any]:
    received = source.last_received_at
    return {
        "name": source.name,
        "kind": source.kind,
        "job_type": source.job_type,
        "tenant": source.tenant,
        "enabled": source.enabled,
        "last_received_at": received.isoformat() if received else None,
    }
