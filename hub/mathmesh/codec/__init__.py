"""Text and binary forms shared with constrained devices; runs on CPython and MicroPython alike."""
