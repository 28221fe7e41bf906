"""Parameter sweeps: what to replay, who replays it, and what came out."""
