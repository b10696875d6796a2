"""The tenants: list them, make and change them, and say which users see one alone.

manage.py jobs tenants create acme --max-running 5 --max-ready 10000
manage.py jobs tenants join acme ada
"""

from argparse import ArgumentParser
from typing import Any

from jobs.domain.errors import InvalidAccess
from jobs.management.actor import command_line_actor
from jobs.management.exit_codes import ExitCode
from jobs.management.output import Output, plain
from jobs.management.people import user_named
from jobs.management.tables import Column
from jobs.models import Tenant
from jobs.services.tenants import change_tenant, create_tenant, get_tenant, put_member

_COLUMNS = [
    Column("tenant"),
    Column("name", text=20),
    Column("at once", spare=1),
    Column("ready", spare=2),
    Column("users", text=20, spare=3),
]


def add_arguments(parser: ArgumentParser) -> None:
    """Declare the verb's arguments."""
    acts = parser.add_subparsers(dest="act", metavar="what", parser_class=ArgumentParser)
    acts.add_parser("list", help="list them (the default)")
    for act, told in (("create", "make one"), ("change", "change its name or what it may have")):
        one = acts.add_parser(act, help=told)
        one.add_argument("slug", help="what its jobs name it by, such as acme")
        one.add_argument("--name", help="for people")
        one.add_argument("--max-running", type=int, help="jobs of it that run at once; 0: any")
        one.add_argument("--max-ready", type=int, help="jobs of it that wait, ready; 0: any")
    for act, told in (("join", "have a user see it alone"), ("leave", "have a user see all again")):
        one = acts.add_parser(act, help=told)
        one.add_argument("slug", help="the tenant")
        one.add_argument("user", help="the user's name")


def run(options: dict[str, Any], output: Output) -> ExitCode:
    """Do what was asked."""
    actor = command_line_actor()
    match options["act"]:
        case "create":
            create_tenant(options["slug"], actor=actor, **_given(options))
        case "change":
            tenant = get_tenant(options["slug"])
            change_tenant(tenant, actor=actor, **_given(options))
        case "join":
            put_member(user_named(options["user"]), get_tenant(options["slug"]), actor=actor)
        case "leave":
            user, tenant = user_named(options["user"]), get_tenant(options["slug"])
            if not tenant.members.filter(user=user).exists():
                raise InvalidAccess(f"{user} does not belong to tenant {tenant}")
            put_member(user, None, actor=actor)
        case _:
            pass
    _list(output, only=options.get("slug"))
    return ExitCode.DONE


def _given(options: dict[str, Any]) -> dict[str, Any]:
    names = ("name", "max_running", "max_ready")
    given = {name: options[name] for name in names if options[name] is not None}
    return {name: None if value == 0 else value for name, value in given.items()}


def _list(output: Output, *, only: str | None) -> None:
    tenants = Tenant.objects.prefetch_related("members__user").order_by("slug")
    if only is not None:
        tenants = tenants.filter(slug=only)
    if output.as_json:
        output.json([_told(tenant) for tenant in tenants])
    elif not tenants:
        output.line("there are no tenants; make one with `manage.py jobs tenants create`")
    else:
        output.table(_COLUMNS, [_row(tenant) for tenant in tenants])


def _told(tenant: Tenant) -> dict[str, Any]:
    return {
        "slug": tenant.slug,
        "name": tenant.name,
        "max_running": tenant.max_running,
        "max_ready": tenant.max_ready,
        "users": sorted(str(each.user) for each in tenant.members.all()),
    }


def _row(tenant: Tenant) -> list[object]:
    told = _told(tenant)
    return [
        tenant.slug,
        plain(tenant.name),
        tenant.max_running or "any",
        tenant.max_ready or "any",
        plain(", ".join(told["users"])) or "-",
    ]
