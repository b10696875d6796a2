"""A child that is forked while another thread is at a SQLite database can write to it."""

import subprocess
import sys
from pathlib import Path

FORK = """
import os, sqlite3, sys, threading
from jobs.runtime.forking import unforked

def connect():
    return sqlite3.connect(sys.argv[1], timeout=1, isolation_level=None)

def write(held, never):
    connection = connect()
    with unforked():
        connection.execute("BEGIN IMMEDIATE")
        held.set()
        never.wait(0.5)  # as long as a transaction of ours may take
        connection.execute("COMMIT")

connect().executescript("PRAGMA journal_mode=WAL; CREATE TABLE t (x)")
held = threading.Event()
threading.Thread(target=write, args=(held, threading.Event())).start()
held.wait()
child = os.fork()
if not child:
    connect().execute("INSERT INTO t VALUES (1)")
    os._exit(0)
sys.exit(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))
"""


def test_a_child_can_write_whatever_its_parent_was_at(tmp_path: Path) -> None:
    forked = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", FORK, str(tmp_path / "db")],
        capture_output=True, text=True, check=False, timeout=60,
    )  # fmt: skip
    assert (forked.returncode, forked.stderr) == (0, "")
