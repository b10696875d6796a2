"""The settings of the peers that are Django apps: the app, its database, and how it is tuned."""

import os

from psycopg.conninfo import conninfo_to_dict

_SERVER = conninfo_to_dict(os.environ["PEERS_DATABASE"])
_TUNED = os.environ["PEERS_VARIANT"] == "tuned"

SECRET_KEY = "nothing is signed for anyone"  # noqa: S105 - of a process that nobody reaches
USE_TZ = True
INSTALLED_APPS = [os.environ["PEERS_APP"]]
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
DATABASES = {
    "default": {
        "ENGINE": "django.db.backends.postgresql",
        "NAME": _SERVER["dbname"],
        "USER": _SERVER.get("user", ""),
        "PASSWORD": _SERVER.get("password", ""),
        "HOST": _SERVER.get("host", ""),
        "PORT": _SERVER.get("port", ""),
        "CONN_MAX_AGE": None,
    }
}
TASKS = {"default": {"BACKEND": "django_tasks_db.DatabaseBackend"}}
Q_CLUSTER = {
    "name": "peers",
    "workers": 2,
    "redis": os.environ["PEERS_REDIS"],
    **({"bulk": 50, "queue_limit": 500, "save_limit": -1} if _TUNED else {}),
}
