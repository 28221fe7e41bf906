"""The broker's lists of messages about chunks, one for each priority."""

import redis

from sweeps.queue.messages import REPLAY_QUEUE
from workers.publisher import IN_TURN

REPLAY_LISTS = (REPLAY_QUEUE, f"{REPLAY_QUEUE}\x06\x16{IN_TURN}")


def waiting_messages(client: redis.Redis) -> int:
    """Return how many messages about chunks nobody has taken yet."""
    return sum(int(client.llen(name)) for name in REPLAY_LISTS)
