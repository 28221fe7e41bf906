"""Names that workers, dispatcher and monitors have in common on the broker: of queues and of tasks."""

REPLAY_QUEUE = "carrygrid.replay"
REPLAY_CHUNK_TASK = "carrygrid.replay_chunk"
JOB_QUEUE = "carrygrid.jobs"
RUN_JOB_TASK = "carrygrid.run_job"
