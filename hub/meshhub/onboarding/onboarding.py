"""Adding devices: one Adoption per label at a time, and what became of the recent ones."""

from __future__ import annotations

import asyncio
import os
from collections import OrderedDict
from collections.abc import Callable

from mathmesh.types import Entropy
from meshhub.events import EventBus, OnboardingStep
from meshhub.onboarding import discovery
from meshhub.onboarding.adoption import Adoption, OnboardingError, _now_ms
from meshhub.onboarding.code import connect_uri
from meshhub.onboarding.home import Home

REMEMBERED = 32
"""Finished adoptions that can still be looked up."""


class Onboarding:
    """Starts and keeps adoptions. Used on the hub's event loop only."""

    def __init__(
        self, home: Home, bus: EventBus, *, default_maker: str, entropy: Entropy = os.urandom
    ) -> None:
        self._home = home
        self._bus = bus
        self._default_maker = default_maker
        self._entropy = entropy
        self._adoptions: OrderedDict[str, Adoption] = OrderedDict()
        self._running: dict[str, str] = {}

    def start(
        self,
        code: str,
        at: str | None = None,
        yes: bool = False,
        name: str | None = None,
        room: str | None = None,
    ) -> Adoption:
        """Begin to add the device of a label.

        `code` is the typed code or the whole URI; `at` an address `HOST:PORT` to look at and nowhere else;
        `yes` answers every question (scripts); `name` and `room` are the friendly ones. An attempt with the
        same label that waits for an answer ends: whoever was asked may have closed the page. Raises
        EncodingError for a code or address that cannot be one, OnboardingError when this label is being
        added at this moment.
        """
        uri = connect_uri(code, self._default_maker)
        address = discovery.parse_address(at) if at else None
        former = None
        if uri in self._running:
            former = self._adoptions[self._running[uri]]
            if former.state != "confirm":
                raise OnboardingError(
                    "This device is being added already: wait until that attempt has ended, or asks whether "
                    "the device blinks."
                )
        adoption = Adoption(
            self._home,
            uri,
            at=address,
            yes=yes,
            name=name,
            room=room,
            entropy=self._entropy,
            changed=self._tell(uri),
            instead_of=former,
        )
        self._adoptions[adoption.id] = adoption
        self._running[uri] = adoption.id
        while len(self._adoptions) > REMEMBERED:
            oldest = next(iter(self._adoptions))
            if self._adoptions[oldest].state in ("running", "confirm"):
                break
            del self._adoptions[oldest]
        return adoption

    def get(self, adoption_id: str) -> Adoption:
        """The adoption with this id; raises OnboardingError when there is none (any more)."""
        try:
            return self._adoptions[adoption_id]
        except KeyError:
            raise OnboardingError("There is no such adoption, or it is long over.") from None

    async def stop(self) -> None:
        """End what is under way, without a trace of what is not finished."""
        await asyncio.gather(
            *(adoption.cancel() for adoption in self._adoptions.values()), return_exceptions=True
        )

    def _tell(self, uri: str) -> Callable[[Adoption], None]:
        def changed(adoption: Adoption) -> None:
            if adoption.state in ("done", "failed") and self._running.get(uri) == adoption.id:
                del self._running[uri]
            step = next((s.name for s in adoption.steps if s.state == "running"), adoption.state)
            self._bus.publish(
                OnboardingStep(time=_now_ms(), adoption=adoption.id, step=step, error=adoption.error)
            )

        return changed
