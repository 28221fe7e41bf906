"""Settings of malloc for processes with many short-lived arrays: freed memory is kept for reuse."""

import ctypes
import gc

_MIB = 1024 * 1024
_M_TRIM_THRESHOLD, _M_TOP_PAD, _M_MMAP_THRESHOLD = -1, -2, -3
_SETTINGS = {_M_MMAP_THRESHOLD: 32 * _MIB, _M_TRIM_THRESHOLD: 128 * _MIB, _M_TOP_PAD: 16 * _MIB}
"""mallopt(3): 16 MiB are asked for at a time, and given back above 128; this goes for arrays below 32."""

_NEW_OBJECTS = 50_000
"""More than a dozen result documents of a year; the interpreter looks at every 700."""


def keep_freed_memory() -> bool:
    """Have the C library keep freed memory, and the collector look for cycles seldom, among new objects only.

    Otherwise every larger array is new memory, whose pages the system clears one by one: a tenth of the time
    of a sweep. A result document has thousands of parts and not one cycle. Returns whether the C library can
    be told so; others work as they did.
    """
    gc.freeze()
    gc.set_threshold(_NEW_OBJECTS, *gc.get_threshold()[1:])
    try:
        tell = ctypes.CDLL(None).mallopt
    except (OSError, AttributeError, TypeError):
        return False
    return all(tell(what, size) == 1 for what, size in _SETTINGS.items())
