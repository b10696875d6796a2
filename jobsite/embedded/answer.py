"""Ask the server on the socket who it is."""

from dataclasses import dataclass
from pathlib import Path

import redis
from redis.backoff import NoBackoff
from redis.exceptions import BusyLoadingError
from redis.retry import Retry

from jobsite.embedded.errors import EmbeddedRedisError
from jobsite.embedded.place import Place

_ANSWER_SECONDS = 2


@dataclass(frozen=True, kw_only=True)
class Server:
    """An embedded Redis that answers."""

    pid: int
    socket: Path
    folder: Path
    #: Name and version, as in `valkey 9.1.2`.
    version: str
    #: Whether the call that returned this also started it.
    started: bool = False


def connect(place: Place) -> redis.Redis:
    """Return a client that gives up after 2 s and tries nothing twice."""
    return redis.Redis(
        unix_socket_path=str(place.socket),
        socket_timeout=_ANSWER_SECONDS,
        socket_connect_timeout=_ANSWER_SECONDS,
        retry=Retry(NoBackoff(), 0),
        decode_responses=True,
    )


def ask(place: Place) -> Server | None:
    """Return our server if it answers on the socket.

    Raises:
        EmbeddedRedisError: another server answers there, or the path is not our own socket.
    """
    place.check_socket()
    if not place.socket.exists():
        return None
    try:
        with connect(place) as client:
            client.ping()
            told = client.info("server")
            folder = Path(client.config_get("dir")["dir"])
    except (BusyLoadingError, redis.TimeoutError):
        return None  # it is there, and not ready
    except redis.AuthenticationError:
        raise _foreign(place, "it asks for a password") from None
    except redis.ConnectionError:
        return None
    except redis.ResponseError as error:
        raise _foreign(place, f"it says: {error}") from None
    if folder != place.folder:
        raise _foreign(place, f"process {told['process_id']} with its data in {folder}")
    name = told.get("server_name", "redis")
    version = told.get(f"{name}_version", told["redis_version"])
    return Server(
        pid=int(told["process_id"]),
        socket=place.socket,
        folder=folder,
        version=f"{name} {version}",
    )


def _foreign(place: Place, who: str) -> EmbeddedRedisError:
    return EmbeddedRedisError(
        f"another server answers on {place.socket} ({who}): stop it, name it in REDIS_URL if "
        "the site shall use it, or name another folder in JOBSITE_VAR."
    )
