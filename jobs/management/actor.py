"""Who acts, when someone acts from the command line."""

import getpass


def command_line_actor() -> str:
    """Return the name that the audit log keeps: the operating system's user."""
    try:
        return f"{getpass.getuser()} (command line)"
    except (KeyError, OSError):
        return "command line"
