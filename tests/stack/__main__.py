"""`python -m tests.stack`: with exit code 1, say in one line why PostgreSQL cannot run here."""

import sys

from tests.stack.postgresql import Cluster, Unavailable


def main() -> int:
    cluster = Cluster()
    try:
        cluster.start()
    except Unavailable as error:
        sys.stdout.write(f"{error}\n")
        return 1
    finally:
        cluster.stop()
    return 0


if __name__ == "__main__":
    sys.exit(main())
