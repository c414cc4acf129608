"""A board without hardware: indicator, lamp, button and sensor are files.

In the state folder: `status.json` shows state, indicator and outputs; lines written to `control` are presses
(press, single, double, long, hold10). Events go to standard output, one JSON object a line.
"""

import json
import os

from meshdevice.button import DOUBLE, LONG, SINGLE, WIPE

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

_GESTURES = {"press": SINGLE, SINGLE: SINGLE, DOUBLE: DOUBLE, LONG: LONG, WIPE: WIPE}
_MODULUS = 2147483647


class Board:
    """folder: the state folder; options: members of `device.json` (seed: whole number for its drift)."""

    def __init__(self, config: "Any", folder: str, options: "dict[str, Any]") -> None:
        self._folder = folder if folder.endswith("/") else folder + "/"
        self._status: dict[str, Any] = {"board": config.NAME, "led": False, "outputs": {}}
        self._random = int(options.get("seed", 1)) % (_MODULUS - 1) + 1
        self._temperature = 20.5 + self._drift() * 2
        self._humidity = 45.0 + self._drift() * 5

    def led(self, lit: bool) -> None:
        """Light or darken the indicator."""
        self.report(led=lit)

    def actuate(self, name: str, value: int) -> None:
        """Set an output; a lamp takes percent."""
        outputs = dict(self._status["outputs"])
        outputs[name] = value
        self.report(outputs=outputs)

    def measure(self) -> tuple[float, float]:
        """Temperature and humidity of a room that drifts slowly around 20.5 °C and 45 %."""
        self._temperature += self._drift() * 0.15 + (20.5 - self._temperature) * 0.02
        self._humidity += self._drift() * 0.6 + (45.0 - self._humidity) * 0.02
        return self._temperature, self._humidity

    def gestures(self, now: int) -> list[str]:
        """Gestures of the button since the last call."""
        taken = self._folder + "control.taken"
        try:
            os.rename(self._folder + "control", taken)
        except OSError:
            return []
        with open(taken) as stream:
            words = stream.read().split()
        os.remove(taken)
        return [_GESTURES[word] for word in words if word in _GESTURES]

    def report(self, **fields: "Any") -> None:
        """Show fields in the status file, when any of them changed."""
        changed = False
        for name, value in fields.items():
            if name not in self._status or self._status[name] != value:
                self._status[name] = value
                changed = True
        if changed:
            with open(self._folder + "status.new", "w") as stream:
                json.dump(self._status, stream)
            os.rename(self._folder + "status.new", self._folder + "status.json")

    def event(self, name: str, **fields: "Any") -> None:
        """Tell one event on standard output; fields never hold secrets."""
        fields["ev"] = name
        print(json.dumps(fields))

    def guard(self) -> None:
        """There is no watchdog: the process that started this one watches it."""

    def feed(self) -> None:
        """Nothing to feed."""

    def restart(self) -> None:
        """End the process; whoever started it starts it again."""
        raise SystemExit(0)

    def _drift(self) -> float:
        self._random = self._random * 48271 % _MODULUS
        return self._random / _MODULUS * 2 - 1
