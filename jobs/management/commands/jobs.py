"""`manage.py jobs <verb>`: everything about jobs from the command line."""

import sys
from argparse import (
    SUPPRESS,
    ArgumentParser,
    RawDescriptionHelpFormatter,
    _SubParsersAction,
)
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.db import Error as DatabaseError

from jobs.client import ApiError
from jobs.domain.errors import InvalidOption, JobsError
from jobs.management.exit_codes import ExitCode, exit_code_of
from jobs.management.output import Output, one_line
from jobs.management.sites import ThisSite, remote_site
from jobs.management.sites.remote import KEY_VARIABLE, URL_VARIABLE
from jobs.management.verbs import SITE_VERBS, VERBS, all_verbs

_EPILOG = "exit codes:\n" + "\n".join(
    f"  {code.value:<3}  {code.name.lower().replace('_', ' ')}" for code in ExitCode
)


class Command(BaseCommand):
    """Dispatches to one module a verb."""

    help = "Submit, look at and steer jobs."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Declare every verb with its own arguments."""
        parser.formatter_class = RawDescriptionHelpFormatter
        parser.epilog = _EPILOG
        parser.add_argument(
            "--url", dest="site_url", metavar="URL",
            help=f"work on the site at this address, over HTTP (default: {URL_VARIABLE})",
        )  # fmt: skip
        parser.add_argument(
            "--key", dest="site_key", metavar="KEY",
            help=f"an API key of that site; better in {KEY_VARIABLE}, where nobody else sees it",
        )  # fmt: skip
        verbs = parser.add_subparsers(dest="verb", metavar="verb", parser_class=ArgumentParser)
        for name, verb in all_verbs().items():
            summary = (verb.__doc__ or "").strip()
            one = verbs.add_parser(
                name,
                help=summary.partition("\n")[0],
                description=summary,
                formatter_class=RawDescriptionHelpFormatter,
            )
            one.add_argument("--json", action="store_true", help="print JSON, for programs")
            # Also here, after the verb, where people write them.
            one.add_argument("--traceback", action="store_true", help="on an error, show all of it")
            verb.add_arguments(one)
            _repeat_for_parts(one)

    def handle(self, *args: Any, **options: Any) -> None:
        """Run the verb; leave with its exit code."""
        if options["verb"] is None:
            self.print_help("manage.py", "jobs")
            sys.exit(ExitCode.USAGE)
        output = Output(as_json=options["json"], stream=getattr(self.stdout, "_out", None))
        try:
            code = _run(options["verb"], options, output)
        except (JobsError, ApiError, ValueError, DatabaseError) as error:
            if options["traceback"]:
                raise
            code = exit_code_of(error)
            if not output.as_json:
                raise CommandError(one_line(_told(error)), returncode=code) from None
            output.error(_told(error), code)
        except KeyboardInterrupt:
            code = ExitCode.INTERRUPTED
        if code:
            sys.exit(code)


def _run(verb: str, options: dict[str, Any], output: Output) -> ExitCode:
    """Run a verb on the site that is meant."""
    if verb in SITE_VERBS:
        with remote_site(options.get("site_url"), options.get("site_key")) as there:
            return SITE_VERBS[verb].run(options, output, there or ThisSite())
    if options.get("site_url"):
        raise InvalidOption(
            f"{verb} works on this site alone, not with --url; those that do are "
            f"{', '.join(SITE_VERBS)}"
        )
    return VERBS[verb].run(options, output)


def _repeat_for_parts(verb: ArgumentParser) -> None:
    """Take the options of every verb behind its parts, too: `jobs keys create … --json`."""
    for action in verb._actions:
        if isinstance(action, _SubParsersAction):
            for part in action.choices.values():
                for option in ("--json", "--traceback"):
                    part.add_argument(option, action="store_true", default=SUPPRESS)


def _told(error: Exception) -> str:
    if not isinstance(error, DatabaseError):
        return str(error)
    # Its first line: PostgreSQL adds the statement.
    why = str(error).partition("\n")[0]
    return (
        f"the database cannot be used: {why}; is DATABASE_URL right, and was `manage.py migrate` "
        "run?"
    )
