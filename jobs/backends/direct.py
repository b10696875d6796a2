"""The Celery queue of each worker in which only bells for it wait."""

from celery import Celery
from kombu import Exchange, Queue

from jobs.runtime.listening import direct_queue_name

#: A bell that its worker has not heard for so long goes, and so does the queue of a worker that
#: has gone. RabbitMQ refuses a queue of the same name with another value.
_EXPIRES_SECONDS = 60
#: The broker's own exchange, which needs no binding: no trace of a worker is left in one.
_NO_EXCHANGE = Exchange("")


def direct_queue(worker: str) -> Queue:
    """Return the queue of the worker of this node name."""
    name = direct_queue_name(worker)
    return Queue(name, _NO_EXCHANGE, routing_key=name, expires=_EXPIRES_SECONDS)


def listen_directly(app: Celery, worker: str) -> None:
    """Have the worker consume its own queue beside those it was told to, before it starts.

    First, so that plain tasks in the other queues do not hold up its bells.
    """
    queues = app.amqp.queues
    queue = direct_queue(worker)
    queues[queue.name] = queue  # `add` would give it an exchange
    queues.select([queue.name, *queues.consume_from])
