"""Faults in random order, the same for the same seed."""

import signal
import threading
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from random import Random

import redis
from harness import Installation, kill, pause

Fault = Callable[["Chaos"], None]


@dataclass
class Chaos:
    """Harms a running service, but not the `spared` workers; what it halts goes on after a while."""

    running: Installation
    random: Random
    halt_s: float = 3.0
    spared: frozenset[str] = frozenset()
    left_out: frozenset[str] = frozenset()
    injected: Counter[str] = field(default_factory=Counter)
    _halted: list[threading.Timer] = field(default_factory=list)

    def strike(self, name: str | None = None) -> str:
        """Inject a fault, at random or of that name, and return its name."""
        name = name or self.random.choice(sorted(FAULTS.keys() - self.left_out))
        FAULTS[name](self)
        self.injected[name] += 1
        return name

    def settle(self) -> None:
        """Return once nothing is halted any more."""
        for timer in self._halted:
            timer.join()
        self._halted.clear()

    def worker(self) -> int:
        """Return the pid of one of the kept workers."""
        kept = self.running.keeper.processes
        names = sorted(name for name in kept.keys() - self.spared if name.startswith("worker-"))
        return kept[self.random.choice(names)].pid

    def halt(self, *pids: int) -> None:
        """Stop processes, and let them go on later."""
        for pid in pids:
            kill(pid, signal.SIGSTOP)
        timer = threading.Timer(self.halt_s, lambda: [kill(pid, signal.SIGCONT) for pid in pids])
        timer.start()
        self._halted.append(timer)


def _kill_pool_process(chaos: Chaos) -> None:
    pool = chaos.running.pool_of(chaos.worker())
    if pool:
        kill(chaos.random.choice(pool))


def _halt_worker(chaos: Chaos) -> None:
    worker = chaos.worker()
    chaos.halt(worker, *chaos.running.pool_of(worker))


def _restart_broker(chaos: Chaos) -> None:
    chaos.running.broker.kill()
    pause(chaos.random.uniform(0, 1))
    chaos.running.broker.start()


def _halt_broker(chaos: Chaos) -> None:
    process = chaos.running.broker.process
    assert process
    chaos.halt(process.pid)


def _empty_broker(chaos: Chaos) -> None:
    try:
        with chaos.running.broker.client() as client:
            client.flushall()
    except redis.RedisError:
        chaos.injected["flush of a halted broker"] += 1


def _kill_kept(name: str) -> Fault:
    return lambda chaos: kill(chaos.running.keeper.processes[name].pid)


FAULTS: Mapping[str, Fault] = {
    "kill a pool process": _kill_pool_process,
    "kill a worker": lambda chaos: kill(chaos.worker()),
    "stop a worker": lambda chaos: kill(chaos.worker(), signal.SIGTERM),
    "halt a worker": _halt_worker,
    "kill the broker": _restart_broker,
    "halt the broker": _halt_broker,
    "empty the broker": _empty_broker,
    "reset the connections to the broker": lambda chaos: chaos.running.broker_proxy.reset(),
    "silence the connections to the broker": lambda chaos: chaos.running.broker_proxy.swallow(),
    "kill the dispatcher": _kill_kept("dispatcher"),
    "kill the API": _kill_kept("api"),
}
