"""Submits until its queue has refused it a hundred times; prints how many it was let in with.

With an argument it submits so many at a time.
"""

import sys

import django

django.setup()

from jobs.public import NewJob, QueueFull, submit, submit_many  # noqa: E402

AT_ONCE = int(sys.argv[1])
accepted = refused = 0
sys.stdout.write("ready\n")
sys.stdout.flush()
sys.stdin.readline()
while refused < 100:
    if AT_ONCE > 1:
        result = submit_many(NewJob("sample.echo") for _ in range(AT_ONCE))
        accepted += sum(each is not None for each in result.submissions)
        refused += bool(result.errors)
        continue
    try:
        submit("sample.echo")
        accepted += 1
    except QueueFull:
        refused += 1
sys.stdout.write(f"{accepted}\n")
