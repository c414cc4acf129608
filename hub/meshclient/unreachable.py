"""The one failure of a service that is nobody's fault and passes: it cannot be reached."""

from __future__ import annotations

from mathmesh.errors import StoreError


class ServiceUnreachable(StoreError):
    """No answer came from the service; what was to be written may be kept and tried again."""
