"""Sessions of the dashboard in a sealed sequence of this machine: browsers stay signed in over a restart.

Each frame holds all sessions that live at that time; the newest counts. What cannot be read signs everybody
out.
"""

import json
from collections.abc import Iterable
from datetime import datetime

from mathmesh.dare.content_meta import ContentMeta
from mathmesh.errors import MeshError
from meshclient.store_files import SequenceFile
from meshhub import logging
from meshhub.dashboard.sessions import Session

STORE = "MMM_Sessions"
MESSAGE_TYPE = "HubSessions"

log = logging.get(__name__)


class SessionFile:
    """A `SessionStore` over an open sequence, which its owner closes."""

    def __init__(self, sequence: SequenceFile) -> None:
        self._sequence = sequence

    def load(self) -> list[Session]:
        """The sessions saved last; none when there are none or they cannot be read."""
        if self._sequence.count <= 1:  # the first frame describes the sequence itself
            return []
        try:
            kept = json.loads(self._sequence.plaintext(self._sequence.count - 1))[MESSAGE_TYPE]
            return [
                Session(digest=str(digest), expires=datetime.fromisoformat(expires))
                for digest, expires in kept
            ]
        except (MeshError, ValueError, KeyError, TypeError) as error:
            log.error("the sessions of the dashboard cannot be read, so everybody is signed out", error=error)
            return []

    def save(self, sessions: Iterable[Session]) -> None:
        """Keep `sessions` in place of those before; a full disk costs a sign-in later, nothing now."""
        kept = [[one.digest, one.expires.isoformat()] for one in sessions]
        try:
            octets = json.dumps({MESSAGE_TYPE: kept}).encode()
            self._sequence.append(octets, ContentMeta(message_type=MESSAGE_TYPE), sync=True)
        except (MeshError, OSError) as error:
            log.error("the sessions of the dashboard cannot be kept", error=error)
