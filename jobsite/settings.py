"""Django's settings, all from the environment: see `jobsite.env` for the variables."""

import errno
import os
import secrets
from ipaddress import ip_network
from pathlib import Path
from typing import Any

import dj_database_url
from cryptography.fernet import Fernet

from jobsite.env import BASE_DIR, BadEnvironment, environment
from jobsite.logging import logging_config

ENV = environment()
DEBUG = False


def _secret_key() -> str:
    """Return SECRET_KEY; in development make one at the first start and keep it in the var folder.

    Raises:
        BadEnvironment: production has none.
    """
    if key := ENV.secret_key.get_secret_value():
        return key
    if ENV.production:
        raise BadEnvironment("SECRET_KEY must be set in production, to 50 random characters")
    path = ENV.jobsite_var / "secret_key"
    if not path.exists():
        path.touch(mode=0o600)
        path.write_text(secrets.token_urlsafe(50))
    return path.read_text()


def _field_keys() -> list[str]:
    """Return FIELD_KEYS; in development make one at the first start and keep it in the var folder.

    Without any, in production, a submission with sensitive parameters is refused.
    """
    keys = ENV.field_keys.get_secret_value().split()
    if keys or ENV.production:
        return keys
    path = ENV.jobsite_var / "field_key"
    if not path.exists():
        path.touch(mode=0o600)
        path.write_text(Fernet.generate_key().decode())
    return [path.read_text()]


def _make_var_folder() -> Path:
    """Make the data folder and return it.

    Raises:
        BadEnvironment: it cannot be written.
    """
    metrics = ENV.jobsite_var / "metrics"
    try:
        metrics.mkdir(parents=True, exist_ok=True)
        if not os.access(ENV.jobsite_var, os.W_OK):
            raise PermissionError(errno.EACCES, os.strerror(errno.EACCES))
    except OSError as error:
        raise BadEnvironment(
            f"the data folder {ENV.jobsite_var} cannot be written ({error.strerror}): "
            "make it writable, or name another one in JOBSITE_VAR"
        ) from None
    # Every process of a host counts into the files of this folder; `jobs metrics` adds them up.
    os.environ.setdefault("PROMETHEUS_MULTIPROC_DIR", str(metrics))
    return ENV.jobsite_var


def _database() -> dict[str, Any]:
    try:
        config: dict[str, Any] = dict(dj_database_url.parse(ENV.database, conn_max_age=600))
    except ValueError:
        # Without its text, which may hold a password.
        raise BadEnvironment(
            "DATABASE_URL cannot be read; write sqlite:///path, or "
            "postgresql://user:password@host:5432/name with what is special in it percent-encoded"
        ) from None
    config["CONN_HEALTH_CHECKS"] = True
    if config["ENGINE"] == "django.db.backends.sqlite3":
        if config["NAME"] != ":memory:":
            Path(config["NAME"]).parent.mkdir(parents=True, exist_ok=True)
        # Under WAL with deferred transactions, a third of read-then-write transactions fail with
        # "database is locked" as soon as three processes share the file.
        config["OPTIONS"] = {
            **config.get("OPTIONS", {}),
            "transaction_mode": "IMMEDIATE",
            "timeout": 30,
            "init_command": (
                "PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL; PRAGMA busy_timeout=30000;"
                "PRAGMA cache_size=-16000; PRAGMA mmap_size=134217728;"
            ),
        }
    elif config["ENGINE"] == "django.db.backends.postgresql":
        # A statement that waits for another's lock gives up: two that wait for each other end.
        # A host that vanished holds its locks for 25 s, and not for the server's two hours; a
        # server that vanished is noticed as soon.
        asked = {
            "lock_timeout": "10s",
            "tcp_keepalives_idle": 10,
            "tcp_keepalives_interval": 5,
            "tcp_keepalives_count": 3,
        }
        defaults = {
            "connect_timeout": 5,
            "keepalives_idle": 10,
            "keepalives_interval": 5,
            "keepalives_count": 3,
            "options": " ".join(f"-c {name}={value}" for name, value in asked.items()),
        }
        config["OPTIONS"] = {**defaults, **config.get("OPTIONS", {})}
    else:
        raise BadEnvironment(
            f"DATABASE_URL names {config['ENGINE']}: Jobsite runs on sqlite:// and postgresql://"
        )
    return config


VAR = _make_var_folder()
SECRET_KEY = _secret_key()
ALLOWED_HOSTS = ENV.allowed_hosts or ([] if ENV.production else ["localhost", "127.0.0.1", "[::1]"])
CSRF_TRUSTED_ORIGINS = ENV.csrf_trusted_origins
PROXIES = ENV.proxies
SITE_URL = ENV.site_url.rstrip("/")

INSTALLED_APPS = [
    "jobs",
    "jobs.contrib.digests",
    "notifications",
    "maintenance",
    "jobsite",
    "django.contrib.admin",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "django_celery_beat",
    "django_celery_results",
    "ninja",  # its pages' assets, so that none comes from elsewhere
    *(["jobsite.demo"] if ENV.jobsite_demo else []),
    *(["benchmarks"] if ENV.jobsite_bench else []),
]

MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "jobsite.requests.RequestMiddleware",
    "jobs.api.middleware.ApiMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
]

ROOT_URLCONF = "jobsite.urls"
WSGI_APPLICATION = "jobsite.wsgi.application"
ASGI_APPLICATION = "jobsite.asgi.application"
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
            ]
        },
    }
]

DATABASES = {"default": _database()}
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": f"django.contrib.auth.password_validation.{name}"}
    for name in (
        "UserAttributeSimilarityValidator",
        "MinimumLengthValidator",
        "CommonPasswordValidator",
        "NumericPasswordValidator",
    )
]

LANGUAGE_CODE = "en-us"
TIME_ZONE = "UTC"
USE_I18N = True
USE_TZ = True

STATIC_URL = "static/"
STATIC_ROOT = BASE_DIR / "staticfiles"
# In development files are served from where they are: `collectstatic` is for production.
WHITENOISE_USE_FINDERS = WHITENOISE_AUTOREFRESH = not ENV.production

# Of a request's body.
DATA_UPLOAD_MAX_MEMORY_SIZE = 2**20

# Security: what `check --deploy` asks for, in production.
SECURE_CONTENT_TYPE_NOSNIFF = True
X_FRAME_OPTIONS = "DENY"
SECURE_REFERRER_POLICY = "same-origin"
SESSION_COOKIE_HTTPONLY = True
if ENV.production:
    SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")
    SECURE_SSL_REDIRECT = True
    # Asked for from inside, past the proxy that ends TLS.
    SECURE_REDIRECT_EXEMPT = [r"^healthz$", r"^livez$", r"^readyz$", r"^metrics$"]
    SECURE_HSTS_SECONDS = 31_536_000
    SECURE_HSTS_INCLUDE_SUBDOMAINS = True
    SECURE_HSTS_PRELOAD = True
    SESSION_COOKIE_SECURE = True
    CSRF_COOKIE_SECURE = True

# Celery. Only doorbells and plain tasks travel through the broker; jobs are rows.
CELERY_BROKER_URL = ENV.broker
CELERY_RESULT_BACKEND = "django-db"
CELERY_CACHE_BACKEND = "default"
CELERY_TASK_IGNORE_RESULT = True
CELERY_RESULT_EXTENDED = True  # results of plain tasks show their task's name
CELERY_TASK_SERIALIZER = "json"
CELERY_RESULT_SERIALIZER = "json"
CELERY_ACCEPT_CONTENT = ["json"]
CELERY_TASK_DEFAULT_QUEUE = "normal"
CELERY_TIMEZONE = "UTC"
CELERY_ENABLE_UTC = True
CELERY_BEAT_SCHEDULER = "jobs.backends.beat:JobsiteScheduler"
CELERY_BEAT_MAX_LOOP_INTERVAL = 5
CELERY_WORKER_PREFETCH_MULTIPLIER = 1
CELERY_WORKER_REDIRECT_STDOUTS = False
CELERY_WORKER_SOFT_SHUTDOWN_TIMEOUT = ENV.worker_shutdown_seconds
CELERY_BROKER_CONNECTION_RETRY_ON_STARTUP = True
CELERY_BROKER_CONNECTION_TIMEOUT = 2
CELERY_BROKER_CONNECTION_MAX_RETRIES = None  # a worker waits for its broker as long as it takes
CELERY_WORKER_CONSUMER = "jobs.backends.consumer:Consumer"
CELERY_WORKER_AUTOSCALER = "jobs.backends.autoscaler:Autoscaler"
# A worker keeps its database connections between tasks: a new one each costs 3 ms.
CELERY_DB_REUSE_MAX = 1_000_000
if ENV.broker.startswith(("redis", "unix")):
    CELERY_BROKER_TRANSPORT_OPTIONS = {
        "socket_timeout": 2,
        "socket_connect_timeout": 2,
        "health_check_interval": 10,
        # A submission finds out at once that the broker is down, and goes on without it.
        "max_retries": 1,
        "interval_start": 0,
        "interval_step": 0.1,
        # Strict: the order of -Q, where kombu's default would go round.
        "queue_order_strategy": "priority",
        "global_keyprefix": "jobsite:",
    }

JOBS: dict[str, Any] = {"REDIS_URL": ENV.redis}

# Outside services.
EMAIL_URL = ENV.email_url.get_secret_value()
DEFAULT_FROM_EMAIL = ENV.default_from_email
if not ENV.production:
    # Without EMAIL_URL: there is rarely a mail server on a developer's machine.
    EMAIL_BACKEND = "django.core.mail.backends.filebased.EmailBackend"
    EMAIL_FILE_PATH = VAR / "mail"
SLACK_TOKEN = ENV.slack_token.get_secret_value()
SLACK_API_URL = ENV.slack_api_url
FIELD_KEYS = _field_keys()
WEBHOOK_SECRET = ENV.webhook_secret.get_secret_value()
# In development receivers are on this machine.
_OURS = [] if ENV.production else [ip_network("127.0.0.0/8"), ip_network("::1/128")]
WEBHOOK_PRIVATE_NETWORKS = ENV.webhook_private_networks or _OURS
WEBHOOK_HTTPS_ONLY = ENV.production
WEBHOOK_PORTS = ENV.webhook_ports or ([80, 443, 8080, 8443] if ENV.production else [])
GITHUB_TOKEN = ENV.github_token.get_secret_value()
GITHUB_API_URL = ENV.github_api_url

#: Who may read /metrics; empty: nobody.
METRICS_TOKEN = ENV.metrics_token.get_secret_value()

LOGGING_CONFIG = None
LOGGING = logging_config(level=ENV.log_level, style=ENV.log_format)
