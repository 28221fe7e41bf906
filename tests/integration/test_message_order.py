"""Order in which a process for chunks and jobs alike takes the messages that wait."""

from kombu import Consumer

from sweeps.queue.reconcile import ChunkRef
from workers.app import make_app
from workers.publisher import CeleryQueue
from workers.settings import WorkerSettings


def test_chunks_and_other_jobs_are_taken_before_reports_that_waited_longer(broker: str) -> None:
    app = make_app(WorkerSettings(broker_url=broker))
    queue = CeleryQueue(app)
    queue.publish_job(1, behind=True)
    queue.publish_job(2)
    queue.publish(ChunkRef(7, 0))
    queue.publish(ChunkRef(8, 0, ahead=True))
    queue.close()
    taken: list[str] = []
    with app.connection_for_read() as connection:
        channel = connection.channel()
        channel.basic_qos(0, 1, False)

        def take(message: object) -> None:
            taken.append(message.headers["argsrepr"])  # type: ignore[attr-defined]
            message.ack()  # type: ignore[attr-defined]

        queues = list(app.amqp.queues.values())
        with Consumer(channel, queues=queues, accept=["json"], on_message=take):
            for _ in range(4):
                connection.drain_events(timeout=10)
    assert (taken[0], taken[-1]) == ("sweep 8, chunk 0", "job 1")
    assert sorted(taken[1:3]) == ["job 2", "sweep 7, chunk 0"]
