"""Parameter sweeps: specification, scheduling, replay and results."""
