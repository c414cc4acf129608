"""Both sides of running for programs that need both; a device imports meshlink.run_device alone."""

from meshlink.run_device import DeviceRun
from meshlink.run_hub import HubRun

__all__ = ["DeviceRun", "HubRun"]
