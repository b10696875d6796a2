"""An environment of its own for each peer, made once and kept in the cache folder."""

import hashlib
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from benchmarks.peers.catalogue import Peer
from jobsite.env import BASE_DIR

_HERE = Path(__file__).parent
_LINES = 3


class NotMeasured(Exception):
    """This peer cannot be installed or run here; the message says why in one line."""


def install(peer: Peer) -> Path:
    """Return the folder of the peer's commands, made if need be.

    Raises:
        NotMeasured: it cannot be installed.
    """
    if peer.ours:
        return Path(sys.executable).parent
    return _install_node(peer) if "node" in peer.needs else _install_python(peer)


def working_folder(peer: Peer, commands: Path) -> Path:
    """Return where its processes start."""
    return commands.parent.parent if "node" in peer.needs else BASE_DIR


def _install_python(peer: Peer) -> Path:
    requirements = _HERE / "requirements" / f"{peer.name.replace('_', '-')}.txt"
    folder = _folder(peer, requirements)
    commands = folder / "bin"
    if not folder.exists():
        with _whole_or_not_at_all(folder):
            _run(sys.executable, "-m", "venv", str(folder))
            pip = (str(commands / "python"), "-m", "pip", "--disable-pip-version-check")
            _run(*pip, "install", "--quiet", "-r", str(requirements))
    return commands


def _install_node(peer: Peer) -> Path:
    source = _HERE / "libraries" / peer.name
    if not shutil.which("node") or not shutil.which("npm"):
        raise NotMeasured("node and npm are not on the PATH")
    folder = _folder(peer, *sorted(source.iterdir()))
    if not folder.exists():
        with _whole_or_not_at_all(folder):
            shutil.copytree(source, folder)
            _run("npm", "install", "--no-package-lock", "--no-audit", "--no-fund", cwd=folder)
    return folder / "node_modules" / ".bin"


def _folder(peer: Peer, *sources: Path) -> Path:
    told = hashlib.sha256(sys.version.encode())
    for source in sources:
        told.update(source.read_bytes())
    cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    return cache / "jobsite-peers" / f"{peer.name}-{told.hexdigest()[:12]}"


@contextmanager
def _whole_or_not_at_all(folder: Path) -> Iterator[None]:
    folder.parent.mkdir(parents=True, exist_ok=True)
    try:
        yield
    except BaseException:
        shutil.rmtree(folder, ignore_errors=True)
        raise


def _run(*command: str, cwd: Path | None = None) -> None:
    try:
        subprocess.run(command, cwd=cwd, check=True, capture_output=True, text=True)  # noqa: S603
    except subprocess.CalledProcessError as error:
        said = [line for line in error.stderr.splitlines() if line.strip()]
        raise NotMeasured("it cannot be installed: " + " ".join(said[-_LINES:])) from None
