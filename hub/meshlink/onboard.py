"""Both sides of onboarding for programs that need both; a device imports meshlink.onboard_device alone."""

from meshlink.onboard_adopter import AdopterLink
from meshlink.onboard_device import TRANSITIONS, DeviceLink

__all__ = ["TRANSITIONS", "AdopterLink", "DeviceLink"]
