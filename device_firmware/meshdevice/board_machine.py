"""A real board: pins from the generated configuration, hardware watchdog, events on the serial console."""

import json

from machine import PWM, WDT, Pin, reset

from meshdevice.button import Gestures

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

_WATCHDOG_MS = 8000
_PWM_HZ = 1000


class Board:
    """config: generated `board_config`; PINS by role: led, relay, button, sensor, all optional."""

    def __init__(self, config: "Any", folder: str, options: "dict[str, Any]") -> None:
        pins = config.PINS
        self._led = Pin(pins["led"], Pin.OUT) if "led" in pins else None
        self._led_lit = 0 if config.LED_INVERTED else 1
        self._button = Pin(pins["button"], Pin.IN, Pin.PULL_UP) if "button" in pins else None
        self._relay = pins.get("relay")
        self._pwm = None
        self._sensor_pin = pins.get("sensor")
        self._sensor = None
        self._gestures = Gestures()
        self._watchdog = None
        self.led(False)

    def led(self, lit: bool) -> None:
        """Light or darken the indicator."""
        if self._led is not None:
            self._led.value(self._led_lit if lit else 1 - self._led_lit)

    def actuate(self, name: str, value: int) -> None:
        """Set an output; a lamp takes percent and is dimmed by pulse width on the relay pin."""
        if self._relay is None:
            raise OSError("this board has no pin for " + name)
        if self._pwm is None:
            self._pwm = PWM(Pin(self._relay), freq=_PWM_HZ, duty_u16=0)
        self._pwm.duty_u16(value * 65535 // 100)

    def measure(self) -> tuple[float, float]:
        """Temperature and humidity of a DHT22 on the sensor pin; OSError when it does not answer."""
        if self._sensor is None:
            if self._sensor_pin is None:
                raise OSError("this board has no pin for a sensor")
            import dht

            self._sensor = dht.DHT22(Pin(self._sensor_pin))
        self._sensor.measure()
        return self._sensor.temperature(), self._sensor.humidity()

    def gestures(self, now: int) -> list[str]:
        """Gestures of the button since the last call; call it every 20 to 50 ms."""
        if self._button is None:
            return []
        gesture = self._gestures.step(self._button.value() == 0, now)
        return [gesture] if gesture else []

    def report(self, **fields: "Any") -> None:
        """A board shows nothing but its indicator."""

    def event(self, name: str, **fields: "Any") -> None:
        """Tell one event on the serial console; fields never hold secrets."""
        fields["ev"] = name
        print(json.dumps(fields))

    def guard(self) -> None:
        """Start the hardware watchdog, which nothing but a reset stops.

        Not while the unit is free: the two X448 of an adoption take longer than the 8 s of an RP2040.
        """
        if self._watchdog is None:
            self._watchdog = WDT(timeout=_WATCHDOG_MS)

    def feed(self) -> None:
        """Hold off the watchdog; only the main loop calls this."""
        if self._watchdog is not None:
            self._watchdog.feed()

    def restart(self) -> None:
        """A cold boot: memory, radio and watchdog start anew."""
        reset()
