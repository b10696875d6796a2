from collections.abc import Iterator

import pytest
from pytest_django import Settings

from jobs.contrib.digests.sources.github_client import answers
from tests.servers.github import GitHubServer, github_server
from tests.servers.github_recording import recording


@pytest.fixture
def github(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> Iterator[GitHubServer]:
    """GitHub with the recorded repository, and nothing in the cache of its answers."""
    answers.cleanup()
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    with github_server() as server:
        server.answers = recording()
        settings.GITHUB_API_URL = server.url
        settings.GITHUB_TOKEN = "canary-token"
        yield server
    answers.cleanup()
