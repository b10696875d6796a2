"""The demo's own surroundings: a folder, ports and secrets that touch nothing of the site's."""

import fcntl
import os
import secrets
import shutil
import sys
from base64 import b64encode
from pathlib import Path

from jobsite.env import BASE_DIR
from jobsite.supervision.site import LOOPBACK, free_port

FOLDER = BASE_DIR / "var" / "demo"
#: Nothing of the user's own configuration is used or changed by the demo.
_LEFT_OUT = ("DATABASE_URL", "BROKER_URL", "REDIS_URL", "GITHUB_TOKEN", "PROMETHEUS_MULTIPROC_DIR")


def is_set() -> bool:
    """Whether this process runs in the demo's surroundings."""
    return os.environ.get("JOBSITE_DEMO") == "1"


def enter() -> None:
    """Start this very command again in the demo's surroundings; does not return."""
    if FOLDER.exists() and not _is_up():
        shutil.rmtree(FOLDER)
    FOLDER.mkdir(parents=True, exist_ok=True)
    smtp, http, web, flower = (free_port() for _ in range(4))
    env = {name: value for name, value in os.environ.items() if name not in _LEFT_OUT}
    env |= dict.fromkeys(_LEFT_OUT[:3], "")
    env |= {
        "JOBSITE_DEMO": "1",
        "JOBSITE_ENV": "development",
        "JOBSITE_VAR": str(FOLDER),
        "DJANGO_SETTINGS_MODULE": "jobsite.settings",
        "SITE_URL": f"http://{LOOPBACK}:{web}",
        "DEFAULT_FROM_EMAIL": "Jobsite <jobsite@example.com>",
        "EMAIL_URL": f"smtp://{LOOPBACK}:{smtp}",
        "SLACK_API_URL": f"http://{LOOPBACK}:{http}/slack/api/",
        "SLACK_TOKEN": "xoxb-" + secrets.token_hex(12),
        "WEBHOOK_SECRET": "whsec_" + b64encode(secrets.token_bytes(32)).decode(),
        "LOG_FORMAT": "json",
        "DEMO_SMTP_PORT": str(smtp),
        "DEMO_HTTP_PORT": str(http),
        "DEMO_WEB_PORT": str(web),
        "DEMO_FLOWER_PORT": str(flower),
    }
    os.execve(sys.executable, [sys.executable, str(BASE_DIR / "manage.py"), *sys.argv[1:]], env)  # noqa: S606 - ourselves


def port(name: str) -> int:
    """Return the port of the demo's `smtp`, `http`, `web` or `flower`."""
    return int(os.environ[f"DEMO_{name.upper()}_PORT"])


def folder() -> Path:
    """Return the demo's folder."""
    return FOLDER


def _is_up() -> bool:
    """Whether another demo runs in the folder: its files must stay."""
    lock = FOLDER / "up.lock"
    if not lock.exists():
        return False
    with lock.open("a") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return True
    return False
