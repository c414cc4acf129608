"""Firmware of a constrained device: MicroPython on a board, the unix port or CPython, from the same source."""
