"""The files that put the site on a server: they agree with each other and with the code."""

import re
from functools import cache
from pathlib import Path
from typing import Any

import pytest
import yaml
from pydantic import SecretStr

from jobsite.env import BASE_DIR, Environment
from tests.unit.deploy.site import STOP_SECONDS

SERVICES = {"web", "worker", "beat", "flower", "migrate", "postgres", "redis"}
OURS = SERVICES - {"postgres", "redis"}


@cache
def compose() -> dict[str, Any]:
    loaded = yaml.safe_load((BASE_DIR / "docker-compose.yml").read_text())
    assert isinstance(loaded, dict)
    return loaded


def service(name: str) -> dict[str, Any]:
    found = compose()["services"][name]
    assert isinstance(found, dict)
    return found


@cache
def example() -> dict[str, str]:
    """Return the variables of .env.example with the defaults it shows."""
    text = (BASE_DIR / ".env.example").read_text()
    return dict(re.findall(r"^#?([A-Z][A-Z0-9_]*)=(.*)$", text, re.MULTILINE))


def test_every_service_is_there() -> None:
    assert set(compose()["services"]) == SERVICES


@pytest.mark.parametrize("name", sorted(SERVICES - {"web"}))
def test_only_web_is_published(name: str) -> None:
    assert "ports" in service("web")
    assert "ports" not in service(name)
    assert "network_mode" not in service(name)


@pytest.mark.parametrize("name", sorted(SERVICES - {"migrate"}))
def test_every_service_is_checked_and_comes_back(name: str) -> None:
    assert service(name)["restart"] == "always"
    assert {"test", "interval", "timeout", "retries"} <= set(service(name)["healthcheck"])


def test_migrations_run_once_and_first() -> None:
    assert service("migrate")["restart"] == "no"
    for name in OURS - {"migrate"}:
        waits = service(name)["depends_on"]
        assert waits["migrate"] == {"condition": "service_completed_successfully"}
        assert waits["postgres"] == waits["redis"] == {"condition": "service_healthy"}


@pytest.mark.parametrize("name", sorted(SERVICES))
def test_images_have_a_version(name: str) -> None:
    tag = service(name)["image"].rpartition(":")[2]
    assert tag[0].isdigit()


def test_every_variable_of_the_compose_file_is_explained() -> None:
    used = set(re.findall(r"\$\{([A-Z_]+)", (BASE_DIR / "docker-compose.yml").read_text()))
    assert used
    assert used <= set(example())


@pytest.mark.parametrize(
    "name", ["SECRET_KEY", "ALLOWED_HOSTS", "POSTGRES_PASSWORD", "FLOWER_BASIC_AUTH"]
)
def test_a_missing_secret_stops_the_start_with_a_message(name: str) -> None:
    uses = re.findall(rf"\$\{{{name}([^}}]*)\}}", (BASE_DIR / "docker-compose.yml").read_text())
    assert uses
    assert all(re.match(rf":\?set {name} in \.env", use) for use in uses)


def test_every_variable_of_the_site_is_explained_with_its_default() -> None:
    told_otherwise = {"ALLOWED_HOSTS", "JOBSITE_VAR"}  # they depend on other things
    for name, field in Environment.model_fields.items():
        default = field.get_default(call_default_factory=True)
        if isinstance(default, SecretStr):
            default = default.get_secret_value()
        assert name.upper() in example()
        if name.upper() not in told_otherwise:
            text = (
                str(default).lower()
                if isinstance(default, bool)
                else str("" if default in (None, [], "") else default)
            )
            assert example()[name.upper()] == text


def test_the_example_explains_nothing_that_is_not_read() -> None:
    compose_only = {"POSTGRES_PASSWORD", "FLOWER_BASIC_AUTH", "WEB_PORT"}
    assert set(example()) == {name.upper() for name in Environment.model_fields} | compose_only


def test_an_untouched_copy_of_the_example_changes_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in Environment.model_fields:
        monkeypatch.delenv(name.upper(), raising=False)
    copied = tmp_path / ".env"
    copied.write_text((BASE_DIR / ".env.example").read_text())
    untouched = Environment(_env_file=copied)
    assert untouched == Environment(_env_file=None)


def test_a_worker_has_time_to_finish_its_jobs() -> None:
    worker = service("worker")
    assert "REMAP_SIGTERM" not in worker["environment"]  # SIGTERM is the gentle one
    assert int(worker["stop_grace_period"].removesuffix("s")) >= STOP_SECONDS + 5


def test_any_number_of_workers_can_run() -> None:
    assert not {"container_name", "hostname", "ports"} & service("worker").keys()
    # Each counts into a folder of its own: a process id says nothing in another container.
    assert compose()["x-jobsite"]["environment"]["JOBSITE_VAR"] in service("worker")["tmpfs"]
    assert "volumes" not in service("worker")


def test_redis_neither_forgets_nor_evicts() -> None:
    assert "--appendonly yes" in service("redis")["command"]
    assert "--maxmemory-policy noeviction" in service("redis")["command"]


@pytest.mark.parametrize("name", sorted(OURS))
def test_the_sites_own_services_are_confined(name: str) -> None:
    assert service(name)["read_only"] is True
    assert service(name)["cap_drop"] == ["ALL"]


def test_the_image_runs_as_a_user_and_holds_no_secret() -> None:
    dockerfile = (BASE_DIR / "Dockerfile").read_text()
    assert re.search(r"^USER jobsite$", dockerfile, re.MULTILINE)
    assert not re.search(r"SECRET_KEY|PASSWORD|TOKEN|:latest", dockerfile)
    assert (BASE_DIR / ".dockerignore").read_text().startswith("*\n")  # .env stays out


def test_the_pinned_versions_serve_every_python() -> None:
    lines = (BASE_DIR / "constraints.txt").read_text().splitlines()
    pins = [line for line in lines if not line.startswith("#")]
    assert all(
        re.match(r"^[A-Za-z0-9._-]+==[\w.]+(; python_version [<>]=? \"3\.12\")?$", pin)
        for pin in pins
    )
    series = re.findall(r"^Django==(\d+\.\d+)", "\n".join(pins), re.MULTILINE)
    assert series == ["5.2", "6.0"]
