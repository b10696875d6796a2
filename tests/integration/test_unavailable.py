"""While the database cannot be used, the site says so, and that it will pass."""

import pytest
from django.db import OperationalError, ProgrammingError, connection
from django.test import Client


@pytest.mark.parametrize(("error", "status"), [(OperationalError, 503), (ProgrammingError, 500)])
def test_a_page_that_needs_it_answers_503(
    error: type[Exception], status: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail() -> None:
        raise error("FATAL: the secret of db.example.org")

    monkeypatch.setattr(connection, "ensure_connection", fail)
    browser = Client(raise_request_exception=False)
    answer = browser.post("/admin/login/", {"username": "ada", "password": "secret word"})
    assert answer.status_code == status
    assert "secret" not in answer.content.decode()
    assert answer.headers.get("Retry-After") == ("5" if status == 503 else None)
