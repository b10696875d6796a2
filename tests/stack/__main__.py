"""`python -m tests.stack rabbitmq`: say in one line why a stack cannot run here, if it cannot."""

import os
import sys

from tests.stack.postgresql import Cluster, Unavailable
from tests.stack.rabbitmq import Rabbit
from tests.stack.run import STACKS


def main(name: str) -> int:
    database, broker = STACKS[name]
    servers: list[Cluster | Rabbit] = []
    if database == "PostgreSQL" and not os.environ.get("TEST_DATABASE_URL"):
        servers.append(Cluster())
    if broker == "RabbitMQ":
        servers.append(Rabbit())
    try:
        for server in servers:
            server.start()
    except Unavailable as error:
        sys.stdout.write(f"{error}\n")
        return 1
    finally:
        for server in servers:
            server.stop()
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
