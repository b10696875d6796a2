"""Account for every accepted job, and name those that nobody will take where they are.

The exit code is 1 if a job is lost, or if --accepted is not what the account says.
"""

from argparse import ArgumentParser
from typing import Any

from jobs.management.exit_codes import ExitCode
from jobs.management.output import Output, plain, state
from jobs.selectors.ledger import Ledger, ledger


def add_arguments(parser: ArgumentParser) -> None:
    """Declare the verb's arguments."""
    parser.add_argument(
        "--accepted", type=int, metavar="N", help="how many you know of: the account must agree"
    )


def run(options: dict[str, Any], output: Output) -> ExitCode:
    """Print the account."""
    drawn, known = ledger(), options["accepted"]
    agrees = known is None or known == drawn.accepted
    if output.as_json:
        output.json({**drawn.as_json(), "agrees": agrees})
    else:
        _print(drawn, output)
        if not agrees:
            told = f"you know of {known} accepted jobs, the account of {drawn.accepted}"
            output.line(f"[red]✘[/] {told}")
    return ExitCode.DONE if agrees and not drawn.lost else ExitCode.FAILED


def _print(drawn: Ledger, output: Output) -> None:
    rows = [[state(name), count, "final"] for name, count in drawn.final.items()]
    rows += [[state(name), count, "live"] for name, count in drawn.live.items() if count]
    rows += [[state(name), count, "removed"] for name, count in drawn.removed.items()]
    rows += [["accepted", drawn.accepted, ""], ["lost", drawn.lost, ""]]
    output.table(["state", "jobs", ""], rows)
    for each in drawn.misplaced:
        named = ", ".join(each.job_ids)
        output.line(f"[red]✘[/] {each.count} {each.why}; {each.remedy}: {named}")
    for note in drawn.notes:
        output.line(f"· {plain(note)}")
