"""A private PostgreSQL cluster: its own temporary folder, a Unix socket, nothing kept."""

import os
import pwd
import shutil
import signal
import subprocess
import tempfile
from pathlib import Path
from typing import Any
from urllib.parse import quote

import psycopg

from tests.stack.process import eventually

OWNER = "jobsite"
_SPEED = {"fsync": "off", "synchronous_commit": "off", "full_page_writes": "off"}


class Unavailable(Exception):
    """A server cannot run here; the message says why, in one line."""


class Cluster:
    """A server of our own. Its URL is known before it starts."""

    def __init__(self) -> None:
        self.folder = Path(tempfile.mkdtemp(prefix="jobsite-pg-"))
        self.url = f"postgresql://{OWNER}@{quote(str(self.folder), safe='')}/jobsite"
        self._server: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Make the cluster and run it.

        Raises:
            Unavailable: there is no PostgreSQL, or it does not run here.
        """
        binaries = _binaries()
        data = str(self.folder / "data")
        options = ["-U", OWNER, "-A", "trust", "--no-sync", "-E", "UTF8", "--locale=C"]
        made = subprocess.run(
            [str(binaries / "initdb"), "-D", data, *options],
            capture_output=True,
            text=True,
            cwd="/",
            check=False,
            **_account(self.folder),
        )
        if made.returncode != 0:
            raise Unavailable(f"{binaries / 'initdb'} failed: {_last_line(made.stderr)}")
        self.run()

    def run(self) -> None:
        """Run the server on the data there is, as after `halt`.

        Raises:
            Unavailable: it does not start.
        """
        settings = {
            **_SPEED,
            "listen_addresses": "",
            "unix_socket_directories": str(self.folder),
            "max_connections": "150",  # a hundred takers at once, and the rest of the suite
        }
        options = [part for item in settings.items() for part in ("-c", "=".join(item))]
        log = self.folder / "log"
        with log.open("ab") as output:
            self._server = subprocess.Popen(
                [str(_binaries() / "postgres"), "-D", str(self.folder / "data"), *options],
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                cwd="/",
                start_new_session=True,
                **_account(self.folder),
            )
        try:
            eventually(self._answers, 30)
        except AssertionError:
            raise Unavailable(f"postgres did not start: {_last_line(log.read_text())}") from None

    def halt(self) -> None:
        """End the server, and with it every connection; `run` brings it back."""
        if self._server is not None:
            self._server.send_signal(signal.SIGINT)
            try:
                self._server.wait(20)
            except subprocess.TimeoutExpired:
                os.killpg(self._server.pid, signal.SIGKILL)
                self._server.wait(10)
            self._server = None

    def stop(self) -> None:
        """End the server and remove its folder."""
        self.halt()
        shutil.rmtree(self.folder, ignore_errors=True)

    def _answers(self) -> bool:
        if self._server is not None and self._server.poll() is not None:
            raise AssertionError
        try:
            psycopg.connect(host=str(self.folder), user=OWNER, dbname="postgres").close()
        except psycopg.OperationalError:
            return False
        return True


def _binaries() -> Path:
    found = [Path(path).resolve().parent for path in [shutil.which("initdb")] if path]
    if config := shutil.which("pg_config"):
        told = subprocess.run([config, "--bindir"], capture_output=True, text=True, check=False)
        found.append(Path(told.stdout.strip()))
    packaged = Path("/usr/lib/postgresql").glob("*/bin")  # Debian keeps them off the PATH
    found += sorted(packaged, key=lambda path: float(path.parent.name), reverse=True)
    for folder in found:
        if all(os.access(folder / name, os.X_OK) for name in ("initdb", "postgres")):
            return folder
    raise Unavailable("no initdb and postgres on the PATH or in /usr/lib/postgresql/*/bin")


def _account(folder: Path) -> dict[str, Any]:
    """Return who runs the server: root may not, so root hands the folder to someone else."""
    if os.geteuid() != 0:
        return {}
    for name in ("postgres", "nobody"):
        try:
            user = pwd.getpwnam(name)
        except KeyError:
            continue
        os.chown(folder, user.pw_uid, user.pw_gid)
        return {"user": user.pw_uid, "group": user.pw_gid, "extra_groups": []}
    raise Unavailable("PostgreSQL does not run as root, and there is no user postgres or nobody")


def _last_line(text: str) -> str:
    return next((line for line in reversed(text.splitlines()) if line.strip()), "no output")
