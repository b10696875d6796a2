"""The pages of batches."""

from django.test import Client

from jobs.backends.memory import drain
from jobs.models import AuditEntry, Batch, Job
from jobs.public import NewJob, create_batch


def test_how_far_it_is_and_its_jobs(browser: Client) -> None:
    made = create_batch(
        [NewJob("sample.echo"), NewJob("sample.trouble", {"kind": "permanent"})],
        name="<b>orders</b>",
        on_failure=NewJob("sample.echo"),
    )
    listed = browser.get("/admin/jobs/batch/").content.decode()
    assert "&lt;b&gt;orders" in listed
    assert "0 of 2" in listed
    assert browser.get("/admin/jobs/batch/?q=orders").context["cl"].result_count == 1
    assert browser.get("/admin/jobs/batch/?q=nothing").context["cl"].result_count == 0
    found = browser.get(f"/admin/jobs/batch/?q={made.batch_id}")
    assert found.context["cl"].result_count == 1
    drain()
    page = browser.get(f"/admin/jobs/batch/{made.batch_id}/change/").content.decode()
    assert 'value="100"' in page
    assert f"batch={made.batch_id}&amp;state=failed" in page
    narrowed = browser.get(f"/admin/jobs/job/?batch={made.batch_id}&state=failed")
    assert narrowed.status_code == 200
    assert narrowed.context["cl"].result_count == 1
    job = Job.objects.filter(batch=made.batch_id).first()
    assert job is not None
    page = browser.get(f"/admin/jobs/job/{job.pk}/change/").content.decode()
    assert f"/admin/jobs/batch/{made.batch_id}/change/" in page


def test_selected_ones_are_cancelled(browser: Client) -> None:
    made = create_batch([NewJob("sample.echo")] * 2)
    chosen = {"action": "cancel_selected", "_selected_action": [str(made.batch_id)]}
    told = browser.post("/admin/jobs/batch/", chosen, follow=True).content.decode()
    assert "1 batches cancelled, with 2 jobs" in told
    assert Batch.objects.get().state == "cancelled"
    assert AuditEntry.objects.filter(action="batch.cancel").count() == 1
    told = browser.post("/admin/jobs/batch/", chosen, follow=True).content.decode()
    assert "nothing to cancel" in told
