"""The API keys of programs: list them, make, replace and revoke them.

A key is shown once, when it is made:
manage.py jobs keys create "billing service" --role operator --expires 90d
"""

from argparse import ArgumentParser
from datetime import timedelta
from typing import Any

from jobs.domain.access import Role, Scope
from jobs.management.actor import command_line_actor
from jobs.management.arguments import duration
from jobs.management.exit_codes import ExitCode
from jobs.management.output import Output, ago, plain
from jobs.management.people import user_named
from jobs.management.tables import Column
from jobs.models import ApiKey
from jobs.services.api_keys import NewKey, create_key, get_key, revoke_key, rotate_key
from jobs.services.tenants import get_tenant

_COLUMNS = [
    Column("key"),
    Column("name", text=20),
    Column("role"),
    Column("scopes", spare=2),
    Column("tenant", spare=2),
    Column("user", spare=1),
    Column("expires", spare=3),
    Column("last used", spare=4),
    Column("state"),
]


def add_arguments(parser: ArgumentParser) -> None:
    """Declare the verb's arguments."""
    acts = parser.add_subparsers(dest="act", metavar="what", parser_class=ArgumentParser)
    acts.add_parser("list", help="list them (the default)")
    create = acts.add_parser("create", help="make one, and show it this once")
    create.add_argument("name", help="what it is for")
    create.add_argument("--role", choices=[*map(str, Role)], default=Role.VIEWER.value)
    create.add_argument(
        "--scope", choices=[*map(str, Scope)], action="append", default=[], dest="scopes",
        help="fewer than the role holds; may be given several times",
    )  # fmt: skip
    create.add_argument("--expires", type=duration, help="after so long, such as 90d")
    create.add_argument("--user", help="on whose behalf it acts; it can do no more than they may")
    create.add_argument("--tenant", help="the tenant whose jobs alone it sees and makes")
    create.add_argument(
        "--per-minute", type=int, help="jobs that it may submit in a minute, instead of the site's"
    )
    rotate = acts.add_parser("rotate", help="make another that may do the same, and end this one")
    rotate.add_argument("key", help="its prefix, such as jsk_4f1c22aa")
    rotate.add_argument(
        "--overlap", type=duration, default=timedelta(0),
        help="how long the old one goes on, such as 1d (default: not at all)",
    )  # fmt: skip
    revoke = acts.add_parser("revoke", help="end one at once")
    revoke.add_argument("key", help="its prefix")


def run(options: dict[str, Any], output: Output) -> ExitCode:
    """Do what was asked."""
    actor = command_line_actor()
    match options["act"]:
        case "create":
            new = create_key(
                options["name"],
                role=options["role"],
                actor=actor,
                scopes=options["scopes"],
                expires_in=options["expires"],
                user=user_named(options["user"]) if options["user"] else None,
                tenant=get_tenant(options["tenant"]) if options["tenant"] else None,
                per_minute=options["per_minute"],
            )
            _show(new, output)
        case "rotate":
            key = get_key(options["key"])
            _show(rotate_key(key, actor=actor, overlap=options["overlap"]), output)
        case "revoke":
            key = get_key(options["key"])
            told = "revoked" if revoke_key(key, actor=actor) else "revoked before"
            if output.as_json:
                output.json({"key": key.prefix, "state": told})
            else:
                output.line(f"{key.prefix} {told}")
        case _:
            _list(output)
    return ExitCode.DONE


def _show(new: NewKey, output: Output) -> None:
    if output.as_json:
        output.json({**_told(new.key), "secret": new.secret})
        return
    output.line(new.secret)
    output.remark("[dim]keep it now: it is not shown again[/]")


def _list(output: Output) -> None:
    keys = ApiKey.objects.select_related("user").order_by("-id")
    if output.as_json:
        output.json([_told(key) for key in keys])
    elif not keys:
        output.line("there are no keys; make one with `manage.py jobs keys create`")
    else:
        output.table(_COLUMNS, [_row(key) for key in keys])


def _row(key: ApiKey) -> list[object]:
    return [
        key.prefix,
        plain(key.name),
        key.role,
        ", ".join(key.scopes) or "all",
        key.tenant_id or "-",
        plain(str(key.user or "-")),
        ago(key.expires_at) if key.expires_at else "never",
        ago(key.last_used_at) if key.last_used_at else "never",
        key.state,
    ]


def _told(key: ApiKey) -> dict[str, Any]:
    moments = ("created_at", "expires_at", "revoked_at", "last_used_at")
    return {
        "key": key.prefix,
        "name": key.name,
        "role": key.role,
        "scopes": key.scopes,
        "tenant": key.tenant_id,
        "user": str(key.user) if key.user else None,
        "submissions_per_minute": key.submissions_per_minute,
        "state": key.state,
        **{name: at.isoformat() if (at := getattr(key, name)) else None for name in moments},
    }
