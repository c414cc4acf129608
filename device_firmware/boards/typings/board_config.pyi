"""What meshfactory.board writes into every bundle from hardware/boards."""

NAME: str
CHIP: str
DRIVER: str
NETWORK: str
FOLDER: str
STEP_MS: int
RING: int
PORT: int
LED: bool
LED_INVERTED: bool
BOTH: bool
TLS: bool
PINS: dict[str, int | str]
