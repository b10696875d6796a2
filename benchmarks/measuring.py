"""One run of `manage.py jobs bench`: the rows that were asked for, one after the other."""

import json
import os
import platform
from pathlib import Path
from typing import Any

import celery
import django
from django.db import connection

from benchmarks import chart, surroundings
from benchmarks.bench import Bench, prepare
from benchmarks.ending import clean_up_when_terminated
from benchmarks.figures import Figures
from benchmarks.rows import ROWS
from jobs.domain.errors import ConfigurationError
from jobs.management.exit_codes import ExitCode
from jobs.management.output import Output
from jobsite import embedded
from jobsite.env import environment


def measure(options: dict[str, Any], output: Output) -> ExitCode:
    """Enter the benchmark's surroundings, or be in them and measure."""
    letters = _letters(options["only"])
    if not 0 < options["scale"] <= 10:
        raise ValueError(f"--scale {options['scale']} must be more than 0 and at most 10")
    if not surroundings.is_set():
        named = options["database_url"]
        database = environment().database_url if named is None else named
        surroundings.enter(surroundings.environment(database, options["broker_url"]))
    clean_up_when_terminated()
    own_redis = not options["broker_url"]
    try:
        if own_redis:
            embedded.ensure_running()
        prepare()
        bench = Bench(scale=options["scale"], slots=options["slots"], tell=output.remark)
        results = {letter: _measure(letter, bench) for letter in letters}
        machine = {**_machine(), "slots": options["slots"], "scale": options["scale"]}
    except TimeoutError as error:
        raise ConfigurationError(str(error)) from None
    finally:
        connection.close()
        if own_redis:
            embedded.stop()
        surroundings.leave()
    _tell(results, machine, options["save"], output)
    return ExitCode.DONE


def _letters(only: str) -> list[str]:
    letters = [each.strip().upper() for each in only.split(",") if each.strip()]
    for letter in letters:
        if letter not in ROWS:
            raise ValueError(f"there is no row {letter!r}; use some of: {', '.join(ROWS)}")
    return letters or list(ROWS)


def _measure(letter: str, bench: Bench) -> Figures:
    row = ROWS[letter]
    bench.tell(f"{letter}  {row.title} …")
    figures = row.measure(bench)
    return {**figures, "reached": row.verdict(figures)}


def _tell(results: dict[str, Figures], machine: Figures, save: Path | None, output: Output) -> None:
    told = {**results, "machine": machine}
    if save:
        save.write_text(json.dumps(told, indent=2) + "\n")
        chart.draw(chart.of_the_site(results), save.with_suffix(".svg"))
    if output.as_json:
        output.json(told)
        return
    output.table(
        ["", "work", "figures", "to reach", ""],
        [
            [letter, ROWS[letter].title, _in_words(figures), ROWS[letter].reach, _mark(figures)]
            for letter, figures in results.items()
        ],
    )


def _machine() -> Figures:
    with connection.cursor() as cursor:
        on_postgresql = connection.vendor == "postgresql"
        cursor.execute("SHOW server_version" if on_postgresql else "SELECT sqlite_version()")
        version = cursor.fetchone()[0]
    return {
        "cores": os.cpu_count(),
        "python": platform.python_version(),
        "django": django.get_version(),
        "celery": celery.__version__,
        "database": f"{connection.vendor} {version}",
    }


def _in_words(figures: Figures) -> str:
    told = {name.replace("_", " "): value for name, value in figures.items() if name != "reached"}
    return ", ".join(f"{name} {value:,}" for name, value in told.items())


def _mark(figures: Figures) -> str:
    return "✔" if figures["reached"] else "✘"
