"""The files in which processes count for Prometheus, once those processes are gone."""

import fcntl
import os
import re
from collections import defaultdict
from collections.abc import Iterable
from pathlib import Path

import psutil
from prometheus_client.mmap_dict import MmapedDict

FOLDER_VARIABLE = "PROMETHEUS_MULTIPROC_DIR"
_FILE = re.compile(r"(?P<kind>counter|histogram|summary|gauge_[a-z]+)_(?P<pid>\d+)\.db")


def sweep(*, dry_run: bool = False) -> int:
    """Remove the files of processes that are gone; return how many there are.

    What counters and histograms counted is added to a file that is kept, since a series that
    drops looks to Prometheus like a restart, and to an alert like a burst. The folder must belong
    to one host, as it must for Prometheus' library: pids say nothing of another one's processes.
    """
    name = os.environ.get(FOLDER_VARIABLE)
    if not name or not Path(name).is_dir():
        return 0
    folder = Path(name)
    if dry_run:
        return sum(len(files) for files in _left_behind(folder).values())
    with (folder / ".sweep.lock").open("a") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return 0  # another process is at it
        left = _left_behind(folder)
        for kind, files in left.items():
            _remove(folder, kind, files)
        return sum(len(files) for files in left.values())


def _left_behind(folder: Path) -> dict[str, list[Path]]:
    """Return the files of processes that are gone, by what they hold."""
    found: dict[str, list[Path]] = defaultdict(list)
    for path in sorted(folder.iterdir()):
        match = _FILE.fullmatch(path.name)
        if match and not psutil.pid_exists(int(match["pid"])):
            found[match["kind"]].append(path)
    return found


def _remove(folder: Path, kind: str, files: list[Path]) -> None:
    if kind.startswith("gauge"):
        _unlink(files)  # what a process measured ends with it
        return
    kept = folder / f"{kind}_ended.db"
    fresh = folder / f".{kind}_ended.new"
    fresh.unlink(missing_ok=True)
    sums: dict[str, float] = defaultdict(float)
    for path in [*files, *([kept] if kept.exists() else [])]:
        for key, value, _, _ in MmapedDict.read_all_values_from_file(path):  # type: ignore[no-untyped-call]
            sums[key] += value
    store = MmapedDict(fresh)  # type: ignore[no-untyped-call]
    for key, value in sums.items():
        store.write_value(key, value, 0.0)  # type: ignore[no-untyped-call]
    store.close()  # type: ignore[no-untyped-call]
    _unlink(files)
    fresh.replace(kept)


def _unlink(files: Iterable[Path]) -> None:
    for path in files:
        path.unlink(missing_ok=True)
