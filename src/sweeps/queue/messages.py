"""Names that workers, dispatcher and monitors have in common on the broker: of queues and of tasks."""

REPLAY_QUEUE = "carrygrid.replay"
REPLAY_CHUNK_TASK = "carrygrid.replay_chunk"
JOB_QUEUE = "carrygrid.jobs"
RUN_JOB_TASK = "carrygrid.run_job"

WRITTEN_CHANNEL = "carrygrid.written"
"""Channel on which the API announces that it has written something, maybe work for the dispatcher."""
