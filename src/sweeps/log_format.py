"""Format of log lines, apart from what writes them: settings name it without loading that."""

from enum import StrEnum


class LogFormat(StrEnum):
    """Format of a line: for people, or for programs that search logs."""

    TEXT = "text"
    JSON = "json"
