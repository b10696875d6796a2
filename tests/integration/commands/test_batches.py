"""`manage.py jobs batches`."""

from uuid import uuid4

from jobs.backends.memory import drain
from jobs.public import NewJob, create_batch
from tests.integration.commands.running import CONFLICT, DONE, NOT_FOUND, Run


def test_they_are_listed_shown_and_cancelled(run: Run) -> None:
    assert run("batches").out.strip() == "there are no batches"
    made = create_batch(
        [NewJob("sample.echo")] * 3, name="orders", on_success=NewJob("sample.echo")
    )
    batch = str(made.batch_id)
    listed = run("batches").out
    assert batch in listed
    assert "0 of 3 (0 %)" in listed
    shown = run("batches", "show", batch).out
    assert "on_success: sample.echo" in shown
    ran = run("batches", "cancel", batch, "--json")
    assert (ran.code, ran.json["state"], ran.json["counts"]) == (
        DONE,
        "cancelled",
        {"cancelled": 3},
    )
    drain()
    assert run("batches", "cancel", batch).code == CONFLICT
    assert run("batches", "show", str(uuid4())).code == NOT_FOUND
    assert run("batches", "show", "x").code == NOT_FOUND
    assert [each["id"] for each in run("batches", "--json").json] == [batch]
