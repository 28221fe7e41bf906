"""The Celery application: every setting that keeps a sweep safe on an unsafe broker."""

import socket
import sys
from typing import Any

from celery import Celery
from celery.signals import setup_logging
from kombu import Queue

from bot.errors import InvalidInputError
from sweeps.logs import configure_logging
from sweeps.queue.messages import JOB_QUEUE, REPLAY_CHUNK_TASK, REPLAY_QUEUE, RUN_JOB_TASK
from sweeps.settings import ENVIRONMENT_PREFIX
from workers.flower_login import guard_metrics
from workers.job_lane import JOBS, JobLane, SpareProcess
from workers.settings import WorkerSettings, worker_settings
from workers.shutdown import BoundedShutdown

TASKS_PER_CHILD = 500
CHILD_MEMORY_KIB = 1_000_000
"""Most memory that a process may have held and still take another task: beside others a window of twenty
pairs over five years has it hold some 800,000, and a new process would read it anew for each chunk."""
_PROCESS_START_S = 30
"""The usual 4 s are too few on a busy machine, which would start the same process again and again."""


def broker_transport_options(settings: WorkerSettings) -> dict[str, Any]:
    """Return options for Redis: nothing waits for ever, nothing is redelivered while it still runs.

    Raises: InvalidInputError if a running task could be handed out a second time.
    """
    if settings.visibility_timeout_s <= 2 * settings.hard_time_limit_s:
        raise InvalidInputError.of(
            f"{ENVIRONMENT_PREFIX}VISIBILITY_TIMEOUT_S",
            f"{settings.visibility_timeout_s} must be more than twice hard_time_limit_s "
            f"{settings.hard_time_limit_s}, or long tasks run twice",
        )
    return {
        "visibility_timeout": settings.visibility_timeout_s,
        "unacked_restore_interval": 10,
        "unacked_restore_throttle": 1,
        "socket_timeout": 5,
        "socket_connect_timeout": 5,
        "socket_keepalive": True,
        "health_check_interval": 10,
    }


def celery_settings(settings: WorkerSettings) -> dict[str, Any]:
    """Return the complete Celery configuration; results live in SQL, so there is no result backend."""
    return {
        "broker_url": settings.broker,
        "broker_transport_options": broker_transport_options(settings),
        "broker_connection_retry_on_startup": True,
        "broker_connection_max_retries": None,
        "result_backend": None,
        "task_ignore_result": True,
        "task_serializer": "json",
        "accept_content": ["json"],
        "result_accept_content": ["json"],
        "task_default_queue": REPLAY_QUEUE,
        "task_queues": [Queue(REPLAY_QUEUE), JOBS],
        "task_routes": {REPLAY_CHUNK_TASK: {"queue": REPLAY_QUEUE}, RUN_JOB_TASK: {"queue": JOB_QUEUE}},
        "task_create_missing_queues": False,
        "task_acks_late": True,
        "task_reject_on_worker_lost": False,
        "task_acks_on_failure": True,
        "task_acks_on_timeout": True,
        "task_soft_time_limit": settings.soft_time_limit_s,
        "task_time_limit": settings.hard_time_limit_s,
        "task_track_started": True,
        "task_send_sent_event": True,
        "worker_send_task_events": True,
        "worker_prefetch_multiplier": 1,
        "worker_proc_alive_timeout": _PROCESS_START_S,
        "worker_consumer": "workers.job_lane:ChunkConsumer",
        "worker_max_tasks_per_child": TASKS_PER_CHILD,
        "worker_max_memory_per_child": CHILD_MEMORY_KIB,
        "worker_cancel_long_running_tasks_on_connection_loss": False,
        "worker_soft_shutdown_timeout": settings.soft_shutdown_s,
        "worker_hijack_root_logger": False,
        "enable_utc": True,
        "timezone": "UTC",
    }


def make_app(settings: WorkerSettings) -> Celery:
    """Return the application for `settings`; connects to nothing yet."""
    application = Celery("carrygrid", include=["workers.tasks", "workers.presence"])
    application.conf.update(celery_settings(settings))
    application.steps["worker"].update((SpareProcess, BoundedShutdown))
    application.steps["consumer"].add(JobLane)
    return application


@setup_logging.connect
def _log_as_json_or_text(**_: Any) -> None:
    settings = worker_settings()
    configure_logging(settings.log_level, settings.log_format)


def process_name() -> str:
    """Return a name for this machine in heartbeats."""
    return socket.gethostname()


def _of_environment() -> Celery:
    """Return the application for this process, or end its start with one line."""
    try:
        return make_app(worker_settings())
    except InvalidInputError as error:
        sys.exit(f"error: {error.message}")


app = _of_environment()
guard_metrics()
