"""One run: each peer after the other, on a Redis and databases that are removed afterwards."""

import shutil
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import psycopg
import redis

from benchmarks import surroundings
from benchmarks.figures import Figures
from benchmarks.peers.catalogue import Peer
from benchmarks.peers.installing import NotMeasured, install
from benchmarks.peers.processes import RECORD, Processes, environment
from benchmarks.peers.work import Amount, measure
from jobsite import embedded
from jobsite.env import Environment


class Run:
    """Measures one peer at a time.

    Attributes:
        server: the URL of a database on the PostgreSQL server to measure; empty for none.
        redis_url: of the Redis to measure.
        folder: of the run's files.
    """

    def __init__(
        self,
        *,
        server: str,
        redis_url: str,
        folder: Path,
        amount: Amount,
        tell: Callable[[str], None],
    ) -> None:
        self._server = server
        self._redis_url = redis_url
        self._folder = folder
        self._amount = amount
        self._tell = tell

    def measure(self, peers: Sequence[Peer]) -> Iterator[Figures]:
        """Yield the figures of every variant that could be measured; tell why the others not."""
        for peer in peers:
            try:
                if "postgresql" in peer.needs and not self._server:
                    raise NotMeasured("it needs PostgreSQL: name a server with --database-url")
                self._tell(f"{peer.title}: installing …")
                commands = install(peer)
            except NotMeasured as error:
                self._tell(f"{peer.title}: not measured: {error}")
                continue
            for variant in peer.workers:
                try:
                    yield self._variant(peer, variant, commands)
                except NotMeasured as error:
                    self._tell(f"{peer.title}, {variant}: not measured: {error}")

    def _variant(self, peer: Peer, variant: str, commands: Path) -> Figures:
        self._tell(f"{peer.title}, {variant} …")
        record = self._folder / RECORD
        record.touch()
        with redis.Redis.from_url(self._redis_url) as client:
            client.flushdb()
        with self._database(peer) as database_url:
            env = environment(
                peer,
                variant=variant,
                redis_url=self._redis_url,
                database_url=database_url,
                folder=self._folder,
            )
            processes = Processes(peer, commands, env, self._folder / f"{peer.name}-{variant}.log")
            figures = measure(peer, variant, self._amount, processes, record)
        return {"name": peer.name, "title": peer.title, "variant": variant, **figures}

    @contextmanager
    def _database(self, peer: Peer) -> Iterator[str]:
        if "postgresql" not in peer.needs:
            yield ""
            return
        url = surroundings.make_database(self._server)
        try:
            yield url
        finally:
            surroundings.drop_database(self._server, url)

    def versions(self) -> Figures:
        """Return those of the servers."""
        with redis.Redis.from_url(self._redis_url) as client:
            told = client.info("server")
        name = told.get("server_name", "redis")
        found = {"redis": f"{name} {told.get(f'{name}_version', told['redis_version'])}"}
        if self._server:
            with psycopg.connect(self._server) as connection:
                version = connection.info.parameter_status("server_version")
                found["postgresql"] = str(version)
        return found


@contextmanager
def scratch_folder() -> Iterator[Path]:
    """Make a folder for a run, and remove it."""
    folder = Path(tempfile.mkdtemp(prefix="jobsite-peers-"))
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


@contextmanager
def redis_at(url: str, folder: Path) -> Iterator[str]:
    """Yield the URL of a Redis to measure: the one that is named, or one of the run's own."""
    if url:
        yield url
        return
    env = Environment(jobsite_var=folder, broker_url="", redis_url="")
    try:
        embedded.ensure_running(env)
        yield f"unix://{env.redis_socket}"
    finally:
        embedded.stop(env)
