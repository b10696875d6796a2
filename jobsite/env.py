"""The site's environment: every variable that `jobsite.settings` reads, typed and checked.

The job engine's own settings (`JOBSITE_…` for retries, timeouts, ticks) are in `jobs.conf`.
"""

import re
import tempfile
from functools import cache
from hashlib import sha256
from ipaddress import IPv4Network, IPv6Network
from pathlib import Path
from typing import Annotated, Literal

from pydantic import BeforeValidator, Field, SecretStr, ValidationError, field_validator
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

from jobs.conf import configured_redis_url
from jobs.domain.errors import ConfigurationError

BASE_DIR = Path(__file__).resolve().parent.parent
#: A Unix socket's path may have 107 bytes on Linux and 103 on macOS.
_LONGEST_SOCKET_PATH = 100


Port = Annotated[int, Field(ge=1, le=65535)]


class BadEnvironment(SystemExit):
    """A variable of the environment has a value that cannot be used; the start stops here."""


class Environment(BaseSettings):
    """One attribute for each variable, named as the variable is, in lower case."""

    model_config = SettingsConfigDict(
        env_file=BASE_DIR / ".env", env_file_encoding="utf-8", extra="ignore", frozen=True
    )

    #: `development` makes what it needs; `production` refuses to start without it.
    jobsite_env: Literal["development", "production"] = "development"
    secret_key: SecretStr = SecretStr("")
    allowed_hosts: Annotated[list[str], NoDecode] = Field(default_factory=list)
    csrf_trusted_origins: Annotated[list[str], NoDecode] = Field(default_factory=list)
    #: Proxies between the outside and the site, each of which adds to X-Forwarded-For.
    proxies: int = Field(default=0, ge=0, le=10)
    #: Where people reach the site: links in notifications begin with it.
    site_url: str = "http://127.0.0.1:8000"
    #: Where the embedded services keep their data.
    jobsite_var: Path = BASE_DIR / "var"

    #: Set by `manage.py jobs demo` for its own processes: adds the demo's job type.
    jobsite_demo: bool = False
    #: Set by `manage.py jobs bench` for its own processes: adds the benchmark's job types.
    jobsite_bench: bool = False

    database_url: str = ""
    broker_url: str = ""
    #: Unless it is set, the one that the engine's settings name in the environment or their file.
    redis_url: Annotated[str, BeforeValidator(lambda url: url or configured_redis_url())] = Field(
        default="", validate_default=True
    )

    #: Encrypt what is sensitive in parameters; several with spaces between, the newest first.
    field_keys: SecretStr = SecretStr("")
    email_url: SecretStr = SecretStr("")
    default_from_email: str = "jobsite@localhost"
    slack_token: SecretStr = SecretStr("")
    slack_api_url: str = "https://slack.com/api/"
    webhook_secret: SecretStr = SecretStr("")
    #: Networks that webhooks may be sent to although they are not public.
    webhook_private_networks: Annotated[list[IPv4Network | IPv6Network], NoDecode] = Field(
        default_factory=list
    )
    #: Ports that webhooks may be sent to; empty: in development any.
    webhook_ports: Annotated[list[Port], NoDecode] = Field(default_factory=list)
    github_token: SecretStr = SecretStr("")
    github_api_url: str = "https://api.github.com"

    #: Opens /metrics to who sends it as a bearer token.
    metrics_token: SecretStr = SecretStr("")

    #: What running jobs get when a worker is stopped, before the rest is handed on.
    worker_shutdown_seconds: Annotated[float, Field(ge=0, le=3600)] = 25

    log_level: Literal["DEBUG", "INFO", "WARNING", "ERROR", "CRITICAL"] = "INFO"
    #: `console` for people, `json` for machines; `auto` is console on a terminal.
    log_format: Literal["auto", "console", "json"] = "auto"

    @field_validator(
        "allowed_hosts",
        "csrf_trusted_origins",
        "webhook_private_networks",
        "webhook_ports",
        mode="before",
    )
    @classmethod
    def _split(cls, value: object) -> object:
        if isinstance(value, str):
            return [part.strip() for part in value.split(",") if part.strip()]
        return value

    @field_validator("log_level", mode="before")
    @classmethod
    def _upper(cls, value: object) -> object:
        return value.upper() if isinstance(value, str) else value

    @field_validator("metrics_token")
    @classmethod
    def _fits_a_header(cls, token: SecretStr) -> SecretStr:
        if not re.fullmatch(r"[!-~]*", token.get_secret_value()):
            raise ValueError("a header must carry it: only ASCII characters, and no spaces")
        return token

    @property
    def production(self) -> bool:
        """Whether the site serves real users."""
        return self.jobsite_env == "production"

    @property
    def redis_socket(self) -> Path:
        """The socket of the embedded Redis.

        In the var folder, or in the temporary one if the var folder's path is too long for one.
        """
        path = self.jobsite_var.resolve() / "redis" / "redis.sock"
        if len(str(path).encode()) <= _LONGEST_SOCKET_PATH:
            return path
        digest = sha256(str(path).encode()).hexdigest()[:16]
        return Path(tempfile.gettempdir()) / f"jobsite-{digest}.sock"

    @property
    def embedded_redis(self) -> bool:
        """Whether the site runs a Redis of its own."""
        return not self.redis_url and not self.broker_url

    @property
    def redis(self) -> str:
        """The URL of Redis as redis-py reads it; empty if only another broker was named."""
        if self.redis_url:
            return self.redis_url
        if self.embedded_redis:
            return f"unix://{self.redis_socket}"
        return self.broker_url if self.broker_url.startswith("redis") else ""

    @property
    def broker(self) -> str:
        """The URL of the broker as kombu reads it."""
        if self.broker_url or self.redis_url:
            return self.broker_url or self.redis_url
        return f"redis+socket://{self.redis_socket}"

    @property
    def database(self) -> str:
        """The URL of the database."""
        return self.database_url or f"sqlite:///{self.jobsite_var.resolve() / 'jobsite.sqlite3'}"


@cache
def environment() -> Environment:
    """Return the environment, read once.

    Raises:
        BadEnvironment: a variable, or the settings' file, has a value that cannot be used. The
            message names the variable, never a secret's value.
    """
    try:
        return Environment()
    except ConfigurationError as error:
        raise BadEnvironment(str(error)) from None
    except ValidationError as error:
        lines = [
            f"{str(one['loc'][0]).upper()}: {one['msg']}"
            for one in error.errors(include_url=False, include_input=False)
        ]
        raise BadEnvironment("the environment is wrong:\n  " + "\n  ".join(lines)) from None
