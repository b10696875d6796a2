"""The documentation says what the code does: it names everything, and its examples run."""

import argparse
import ast
import importlib
import inspect
import re
import sys
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from pytest_django import Settings

from jobs import JobContext, job_type, public
from jobs.backends.memory import drain
from jobs.conf import JobsSettings
from jobs.domain.options import SubmitOptions
from jobs.domain.registry import registry
from jobs.domain.states import State
from jobs.management.exit_codes import ExitCode
from jobs.management.verbs import SITE_VERBS, all_verbs
from jobs.models import Batch, Job
from jobs.runtime import metrics
from jobsite.env import BASE_DIR, Environment

PAGES = [
    BASE_DIR / "README.md",
    BASE_DIR / "CHANGELOG.md",
    BASE_DIR / "deploy" / "README.md",
    *sorted((BASE_DIR / "docs").glob("*.md")),
]
_BLOCK = re.compile(r"^```python\n(.*?)^```", re.MULTILINE | re.DOTALL)
_LINK = re.compile(r"\[[^\]\n]+\]\(([^)\s]+)\)")
_ENDS = {"counter": "_total"}
_TEST = re.compile(r"`(tests/[\w/]+\.py)::([\w:]+)`")


def page(name: str) -> str:
    return (BASE_DIR / name).read_text()


def section(text: str, heading: str) -> str:
    """Return what stands under a heading, up to the next one of the same or a higher level."""
    start = re.search(rf"^(#+) {re.escape(heading)}\n", text, re.MULTILINE)
    assert start, f"there is no heading {heading!r}"
    rest = text[start.end() :]
    end = re.search(rf"^#{{2,{len(start[1])}}} ", rest, re.MULTILINE)
    return rest[: end.start()] if end else rest


def rows(text: str) -> dict[str, list[str]]:
    """Return the rows of the tables that begin with code: the rest of the cells by that code."""
    found: dict[str, list[str]] = {}
    for line in text.splitlines():
        if line.startswith("| `"):
            first, *cells = [cell.strip() for cell in re.split(r"(?<!\\)\|", line)[1:-1]]
            found |= dict.fromkeys(re.findall(r"`([^`]+)`", first), cells)
    return found


@cache
def anchors(path: Path) -> set[str]:
    headings = re.findall(r"^#+ (.+)$", path.read_text(), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", each.lower()).replace(" ", "-") for each in headings}


@pytest.mark.django_db
def test_the_examples_of_batches_run(folder: Path, settings: Settings) -> None:
    Examples(page("docs/batches.md"), folder, settings).run()
    drain()
    orders, night = Batch.objects.order_by("pk")
    assert (orders.state, night.state, night.total) == ("finished", "finished", 2)
    [report] = public.list(job_type="shop.report")
    assert report.params == {"subject": "all orders are in", "batch_id": str(orders.pk)}
    assert report.result == {"completed": 1000}


@pytest.mark.parametrize("path", PAGES, ids=lambda path: path.name)
def test_every_relative_link_leads_somewhere(path: Path) -> None:
    links = _LINK.findall(path.read_text())
    for target in (each for each in links if not re.match(r"[a-z]+:", each)):
        file, _, anchor = target.partition("#")
        there = (path.parent / file).resolve() if file else path
        assert there.exists(), target
        assert not anchor or anchor in anchors(there), target


def test_every_page_is_linked_from_the_readme() -> None:
    docs = {f"docs/{path.name}" for path in PAGES if path.parent.name == "docs"}
    assert docs <= set(_LINK.findall(page("README.md")))


def test_every_setting_of_the_engine_is_documented() -> None:
    told = rows(section(page("docs/configuration.md"), "The engine's settings"))
    assert set(told) == {name.upper() for name in JobsSettings.model_fields}
    for name, field in JobsSettings.model_fields.items():
        default = field.get_default(call_default_factory=True)
        if isinstance(default, bool | int | float) or (name == "backend" and default):
            assert told[name.upper()][0].strip("`").split()[0] == str(default).lower(), name
        for limit in field.metadata:
            for bound in (getattr(limit, "ge", None), getattr(limit, "le", None)):
                if isinstance(bound, int) and bound < 366 * 86_400:
                    assert str(bound) in told[name.upper()][1].split(), name


def test_every_variable_of_the_site_is_documented() -> None:
    told = rows(section(page("docs/configuration.md"), "The site's variables"))
    assert set(told) == {name.upper() for name in Environment.model_fields}
    for name, field in Environment.model_fields.items():
        if isinstance(field.default, str):
            assert told[name.upper()][0].strip("`") == field.default, name


def test_every_verb_is_documented() -> None:
    text = page("docs/command-line.md")
    told = set(re.findall(r"^## ([a-z]+)$", text, re.MULTILINE))
    assert told == set(all_verbs())
    assert told == {name.strip("[]") for name in re.findall(r"\| \[`([a-z]+)`\]", text)}


@pytest.mark.parametrize("name", sorted(all_verbs()))
def test_every_option_of_a_verb_is_documented_with_an_example(name: str) -> None:
    parser = argparse.ArgumentParser(add_help=False)
    all_verbs()[name].add_arguments(parser)
    text = section(page("docs/command-line.md"), name)
    assert f"$ python manage.py jobs {name}" in text
    for action in parser._actions:
        assert all(f"`{option}" in text for option in action.option_strings), action.option_strings


def test_every_verb_that_works_elsewhere_says_so() -> None:
    text = section(page("docs/command-line.md"), "Another site")
    named = "The verbs from `submit` to `resume`, `types` and `stats`"
    assert named in text
    names = list(SITE_VERBS)
    assert names == [*names[: names.index("resume") + 1], "types", "stats"]


def test_every_exit_code_is_documented() -> None:
    text = section(page("docs/command-line.md"), "Exit codes")
    assert re.findall(r"^\| (\d+) \|", text, re.MULTILINE) == [str(code.value) for code in ExitCode]


def test_every_option_of_a_job_type_and_a_submission_is_documented() -> None:
    text = page("docs/job-types.md")
    assert set(rows(section(text, "Declaring one"))) == set(inspect.signature(job_type).parameters)
    assert set(rows(section(text, "Submitting"))) == set(SubmitOptions.__annotations__)
    context = section(text, "The context")
    for name, _ in inspect.getmembers(JobContext):
        assert name.startswith("_") or name == "recorder" or f"`ctx.{name}" in context, name


def test_every_state_and_metric_is_documented() -> None:
    assert set(State) <= set(rows(section(page("docs/architecture.md"), "States")))
    told = set(rows(section(page("docs/operations.md"), "Metrics")))

    series = {f"{each.name}{_ENDS.get(each.type, '')}" for each in metrics.registry.collect()}
    assert series <= told


def test_every_test_that_the_features_name_exists() -> None:
    named = _TEST.findall(page("docs/features.md"))
    assert len(named) > 100
    for file, name in named:
        assert name in _tests_of(BASE_DIR / file), f"{file}::{name}"


@cache
def _tests_of(path: Path) -> set[str]:
    found = set()
    for node in ast.parse(path.read_text()).body:
        inner = node.body if isinstance(node, ast.ClassDef) else [node]
        before = f"{node.name}::" if isinstance(node, ast.ClassDef) else ""
        found |= {before + each.name for each in inner if isinstance(each, ast.FunctionDef)}
    return found


class Examples:
    """The Python blocks of a page, in a folder of their own.

    A block that begins with the path of a module is written there; the others are run, in their
    order. Those of tests run as tests, and those of settings become the settings.
    """

    def __init__(self, text: str, folder: Path, settings: Settings) -> None:
        self._settings = settings
        self._names: dict[str, Any] = {}
        self.blocks = [(_path(block), block) for block in _BLOCK.findall(text)]
        self.modules = {
            path for path, _ in self.blocks if path and not path.startswith(("tests/", "settings"))
        }
        for path, block in self.blocks:
            if path in self.modules:
                file = folder / path
                file.parent.mkdir(exist_ok=True)
                with file.open("a") as module:
                    module.write(block)

    def run(self) -> None:
        for path in sorted(self.modules):
            importlib.import_module(path.removesuffix(".py").replace("/", "."))
        for path, block in self.blocks:
            if path in self.modules:
                continue
            names = self._names if not path else ModuleType("example").__dict__
            exec(compile(block, path or "example", "exec"), names)  # noqa: S102 - our own page
            if path == "settings.py":
                self._settings.JOBS = {**self._settings.JOBS, **names["JOBS"]}
            for name, test in list(names.items()):
                if path.startswith("tests/") and name.startswith("test_"):
                    self._test(test)

    def _test(self, test: Any) -> None:
        Job.objects.all().delete()
        wanted = inspect.signature(test).parameters
        test(
            **{name: each for name, each in {"settings": self._settings}.items() if name in wanted}
        )


def _path(block: str) -> str:
    found = re.match(r"# ([\w/]+\.py)\b", block)
    return found[1] if found else ""


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, settings: Settings) -> Iterator[Path]:
    """A folder whose modules can be imported, and job types that are forgotten afterwards."""
    settings.JOBS = {**settings.JOBS, "BACKEND": "memory"}
    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.setattr(registry, "_types", dict(registry._types))
    modules = set(sys.modules)
    yield tmp_path
    for name in set(sys.modules) - modules:
        if (getattr(sys.modules[name], "__file__", "") or "").startswith(str(tmp_path)):
            del sys.modules[name]


@pytest.mark.django_db
def test_the_examples_of_job_types_run(folder: Path, settings: Settings) -> None:
    examples = Examples(page("docs/job-types.md"), folder, settings)
    assert {"reports/jobs.py", "reports/middleware.py"} <= examples.modules
    examples.run()
    parent = public.submit("reports.monthly", {"report": "sales"}).job_id
    drain()
    (child,) = public.list(parent_id=parent)
    assert (child.job_type, child.state) == ("notifications.send", "completed")


@pytest.mark.django_db
def test_the_examples_of_the_readme_run(folder: Path, settings: Settings) -> None:
    Examples(page("README.md"), folder, settings).run()
    assert drain() == 1
    assert [job.state for job in public.list(job_type="shop.invoice")] == ["scheduled", "completed"]


@pytest.mark.django_db
def test_the_examples_of_schedules_run(folder: Path, settings: Settings) -> None:
    Examples(page("docs/schedules.md"), folder, settings).run()
    assert public.trigger("weekly digest").state == State.QUEUED


@pytest.mark.parametrize("path", PAGES, ids=lambda path: path.name)
def test_every_python_block_compiles(path: Path) -> None:
    for block in _BLOCK.findall(path.read_text()):
        compile(block.replace("\n    …\n", "\n    ...\n"), path.name, "exec")
