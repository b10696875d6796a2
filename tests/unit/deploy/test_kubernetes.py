"""The manifests, and Prometheus' file, agree with each other, the image and the code."""

import re
from collections.abc import Iterator
from functools import cache
from typing import Any

import pytest
import yaml

from jobs.backends import lease
from jobs.public import exposition
from jobsite.env import BASE_DIR
from jobsite.urls import urlpatterns
from maintenance.urls import urlpatterns as at_the_root
from tests.unit.deploy.site import DEPLOY, PROGRAMS, assert_known_command, known

APPLIED = ["configmap", "migration", "web", "worker", "beat", "flower"]
MANIFESTS = [*APPLIED, "secret.example", "keda"]


@cache
def manifests(file: str) -> list[dict[str, Any]]:
    text = (DEPLOY / "kubernetes" / f"{file}.yaml").read_text()
    return [each for each in yaml.safe_load_all(text) if each]


def manifest(file: str, kind: str) -> dict[str, Any]:
    (found,) = [each for each in manifests(file) if each["kind"] == kind]
    return found


def pod(file: str) -> dict[str, Any]:
    kind = "Job" if file == "migration" else "Deployment"
    found = manifest(file, kind)["spec"]["template"]["spec"]
    assert isinstance(found, dict)
    return found


def containers(file: str) -> Iterator[dict[str, Any]]:
    yield from pod(file).get("initContainers", [])
    yield from pod(file)["containers"]


def config() -> dict[str, str]:
    found = manifest("configmap", "ConfigMap")["data"]
    assert isinstance(found, dict)
    return found


def test_kustomize_applies_everything_but_the_placeholders_and_keda() -> None:
    resources = manifests("kustomization")[0]["resources"]
    assert sorted(resources) == sorted(f"{each}.yaml" for each in APPLIED)
    files = {path.name for path in (DEPLOY / "kubernetes").iterdir()}
    assert files == {f"{each}.yaml" for each in [*MANIFESTS, "kustomization"]}


def test_every_object_has_a_name_of_its_own() -> None:
    objects = [
        (each["kind"], each["metadata"]["name"]) for file in MANIFESTS for each in manifests(file)
    ]
    assert len(objects) == len(set(objects))
    assert all(each["apiVersion"] for file in MANIFESTS for each in manifests(file))


@pytest.mark.parametrize("name", sorted(PROGRAMS))
def test_selectors_match_the_labels_of_their_pods_alone(name: str) -> None:
    labels = manifest(name, "Deployment")["spec"]["template"]["metadata"]["labels"]
    for each in manifests(name):
        selector = each["spec"]["selector"]
        assert selector.get("matchLabels", selector) == labels
    others = [
        manifest(other, "Deployment")["spec"]["template"]["metadata"]["labels"]
        for other in PROGRAMS - {name}
    ]
    assert labels not in others


def test_every_container_runs_one_image_with_a_version() -> None:
    images = {each["image"] for file in [*PROGRAMS, "migration"] for each in containers(file)}
    compose = yaml.safe_load((BASE_DIR / "docker-compose.yml").read_text())
    assert images == {compose["x-jobsite"]["image"]}
    (image,) = images
    (replaced,) = manifests("kustomization")[0]["images"]
    assert f"{replaced['name']}:{replaced['newTag']}" == image
    assert image.rpartition(":")[2][0].isdigit()


@pytest.mark.parametrize("file", [*sorted(PROGRAMS), "migration"])
def test_a_pod_is_confined_and_can_write_where_it_must(file: str) -> None:
    spec = pod(file)
    assert spec["securityContext"]["runAsNonRoot"] is True
    user = re.search(r"--uid (\d+)", (BASE_DIR / "Dockerfile").read_text())
    assert user
    assert spec["securityContext"]["runAsUser"] == int(user[1])
    assert spec["automountServiceAccountToken"] is False
    assert spec["enableServiceLinks"] is False
    volumes = {each["name"]: each["emptyDir"] for each in spec["volumes"]}
    assert set(volumes) == {"tmp", "var"}
    for each in containers(file):
        assert each["securityContext"] == {
            "allowPrivilegeEscalation": False,
            "readOnlyRootFilesystem": True,
            "capabilities": {"drop": ["ALL"]},
        }
        paths = {mount["mountPath"] for mount in each["volumeMounts"]}
        assert paths == {"/tmp", config()["JOBSITE_VAR"]}  # noqa: S108 - the pod's own
        assert each["resources"]["requests"].keys() == {"cpu", "memory"}
        assert each["resources"]["limits"]["memory"]
        assert {"configMapRef": {"name": "jobsite"}} in each["envFrom"]
        assert {"secretRef": {"name": "jobsite"}} in each["envFrom"]
        if "command" in each:
            assert_known_command(each["command"])


@pytest.mark.parametrize("name", sorted(PROGRAMS))
def test_a_pod_waits_for_the_migrations(name: str) -> None:
    (first,) = pod(name)["initContainers"]
    assert first["command"] == ["python", "manage.py", "migrate", "--check"]
    assert manifest("migration", "Job")["spec"]["ttlSecondsAfterFinished"] > 0


def test_kubernetes_gives_a_worker_the_time_that_it_takes() -> None:
    stop = float(config()["WORKER_SHUTDOWN_SECONDS"]) + lease._LAST_SECONDS
    assert pod("worker")["terminationGracePeriodSeconds"] >= stop + 5
    assert pod("web")["terminationGracePeriodSeconds"] >= 5 + 30 + 5  # preStop, gunicorn's own


def test_probes_ask_for_what_the_site_serves() -> None:
    served = {f"/{each.pattern}" for each in [*at_the_root, *urlpatterns]}
    (container,) = pod("web")["containers"]
    for probe in ("startupProbe", "livenessProbe", "readinessProbe"):
        request = container[probe]["httpGet"]
        assert request["path"] in served
        (host,) = request["httpHeaders"]
        assert host["value"] in config()["ALLOWED_HOSTS"].split(",")
    # A restart brings no database back.
    assert container["livenessProbe"]["httpGet"]["path"] == "/healthz"
    assert container["readinessProbe"]["httpGet"]["path"] == "/readyz"
    service = manifest("web", "Service")
    assert service["metadata"]["name"] in config()["ALLOWED_HOSTS"].split(",")


def test_the_probe_of_a_worker_asks_nobody_but_its_files() -> None:
    (container,) = pod("worker")["containers"]
    script = container["livenessProbe"]["exec"]["command"][-1]
    assert "/jobsite-worker-*/alive" in script
    assert "celery" not in script  # it would start a process, and fail with the broker


def test_no_secret_is_in_the_files() -> None:
    secret = manifest("secret.example", "Secret")["stringData"]
    for name, value in secret.items():
        bare = re.sub(r"<[^>]*>", "", value)
        assert bare != value, name
        assert not re.search(r"[A-Za-z0-9]{12,}", bare), name
    assert not set(secret) & set(config())


def test_every_variable_of_the_manifests_is_read() -> None:
    named = {*config(), *manifest("secret.example", "Secret")["stringData"]}
    assert [name for name in named if not known(name)] == []


@pytest.mark.django_db
def test_keda_scales_the_workers_by_a_series_that_there_is() -> None:
    spec = manifest("keda", "ScaledObject")["spec"]
    worker = manifest("worker", "Deployment")
    assert spec["scaleTargetRef"] == {"name": worker["metadata"]["name"]}
    assert 0 < spec["minReplicaCount"] < spec["maxReplicaCount"]
    (trigger,) = spec["triggers"]
    (series,) = re.findall(r"jobsite_\w+", trigger["metadata"]["query"])
    assert f"# TYPE {series} gauge" in exposition().decode()
    down = spec["advanced"]["horizontalPodAutoscalerConfig"]["behavior"]["scaleDown"]
    grace = pod("worker")["terminationGracePeriodSeconds"]
    assert all(policy["periodSeconds"] >= grace for policy in down["policies"])


def test_prometheus_scrapes_what_the_site_serves_with_a_token_from_a_file() -> None:
    text = (DEPLOY / "prometheus" / "prometheus.yml").read_text()
    (scrape,) = yaml.safe_load(text)["scrape_configs"]
    assert scrape["metrics_path"] in {f"/{each.pattern}" for each in at_the_root}
    assert scrape["authorization"].keys() == {"type", "credentials_file"}
