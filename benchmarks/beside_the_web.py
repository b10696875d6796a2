"""Row J's own process, in surroundings of its own: prints its figures as JSON."""

import json
import sys

import django

if __name__ == "__main__":
    django.setup()
    from benchmarks import surroundings
    from benchmarks.bench import Bench, prepare
    from benchmarks.rows.throughput import beside_the_web
    from jobsite import embedded

    try:
        embedded.ensure_running()
        prepare()
        bench = Bench(scale=1, slots=1, tell=lambda _text: None)
        sys.stdout.write(json.dumps(beside_the_web(bench, int(sys.argv[1]))) + "\n")
    finally:
        embedded.stop()
        surroundings.leave()
