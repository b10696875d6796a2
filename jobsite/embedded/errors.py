"""What can go wrong with the embedded Redis."""


class EmbeddedRedisError(Exception):
    """The embedded Redis cannot run, or cannot be reached.

    The message names the path or value that is in the way, and the remedy.
    """
