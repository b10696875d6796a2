"""What is measured, by letter."""

from benchmarks.figures import Row
from benchmarks.rows import cost, flow, http, latency, throughput

ROWS: dict[str, Row] = {
    "A": Row(
        "100,000 at once, then drained",
        "15 times plain Celery's drain, submitted at 30,000 a second",
        throughput.bulk,
        lambda told: told["ratio_to_celery"] >= 15 and told["submit_per_second"] >= 30_000,
    ),
    "B": Row(
        "one by one from two processes, drained meanwhile",
        "1,000 submits a second a process, and nothing left over",
        throughput.single,
        lambda told: told["submits_per_second_a_process"] >= 1000 and told["left_at_the_end"] < 500,
    ),
    "C": Row(
        "submission to start, idle",
        "p50 of 5 ms, p99 of 15 ms, 1.5 times plain Celery",
        latency.idle,
        lambda told: (
            told["p50_ms"] <= 5 and told["p99_ms"] <= 15 and told["ratio_to_celery"] <= 1.5
        ),
    ),
    "D": Row(
        "5,000 a second for ten minutes",
        "p99 of 100 ms, no more at the end than at the beginning",
        latency.paced,
        lambda told: (
            told["p99_ms"] <= 100 and told["p99_ms_at_last"] <= 1.5 * told["p99_ms_at_first"] + 5
        ),
    ),
    "E": Row(
        "1,000 due at the same moment",
        "p99 no later than the tick and 20 ms",
        latency.delayed,
        lambda told: told["p99_ms"] <= told["tick_ms"] + 20 and not told["early"],
    ),
    "F": Row(
        "critical into a backlog of 100,000",
        "p99 of 150 ms",
        latency.urgent,
        lambda told: told["p99_ms"] <= 150 and told["left"] > 0,
    ),
    "G": Row(
        "a submission in a web request",
        "p99 of 5 ms",
        latency.in_a_request,
        lambda told: told["p99_ms"] <= 5,
    ),
    "H": Row(
        "with 1,000,000 finished rows",
        "1.3 times as long as with none",
        cost.growth,
        lambda told: max(told["drain_ratio"], told["start_ratio"], told["list_ratio"]) <= 1.3,
    ),
    "I": Row(
        "memory over 1,000,000 jobs",
        "no growth",
        cost.memory,
        lambda told: told["growth_mb"] <= 5,
    ),
    "J": Row(
        "SQLite and the embedded Redis, beside web, two workers and beat",
        "8,000 a second, and never a locked database",
        throughput.embedded,
        lambda told: (
            told["per_second"] >= 8000
            and not told["database_is_locked"]
            and told["pages"] > 0
            and not told["pages_failed"]
        ),
    ),
    "K": Row(
        "at rest",
        "2 % of a core for all processes",
        cost.at_rest,
        lambda told: told["percent_of_a_core"] < 2,
    ),
    "L": Row(
        "with Celery's events, as Flower turns them on",
        "10 % slower than without",
        throughput.events,
        lambda told: told["slower_percent"] < 10,
    ),
    "M": Row(
        "100 submissions a second over HTTP, and with 1,000,000 finished rows",
        "p99 of 10 ms in the server",
        http.submission,
        lambda told: max(told["p99_ms"], told["p99_ms_grown"]) <= 10,
    ),
    "N": Row(
        "a batch of 100,000, and a graph of 10,000 that fans out and in",
        "15 % slower than the same jobs without them",
        flow.together,
        lambda told: max(told["batch_slower_percent"], told["graph_slower_percent"]) <= 15,
    ),
}
