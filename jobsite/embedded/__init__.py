"""The Redis-compatible server that the site runs for itself when no URL names another."""

from jobsite.embedded.answer import Server
from jobsite.embedded.errors import EmbeddedRedisError
from jobsite.embedded.server import State, Status, ensure_running, status, stop

__all__ = ["EmbeddedRedisError", "Server", "State", "Status", "ensure_running", "status", "stop"]
