"""Firmware of a constrained device: one source for MicroPython and CPython."""

VERSION = "0.1.0"
NUMBER = 1  # rises with every release; an update with a number that is not higher is refused
