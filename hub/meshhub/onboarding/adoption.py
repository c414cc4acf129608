"""One adoption: from the code on a label to a device that reports (protocol book, "Onboarding").

The order is the safety: claim and verify the publication first, then talk to the device; no household secret
leaves before the device has proved its key *and* a person has seen this very unit blink; the home's own
records are durable before the device is told to keep them. What fails before that point leaves no trace.
"""

from __future__ import annotations

import asyncio
import contextlib
import secrets
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Literal

from mathmesh.dare.envelope import Envelope
from mathmesh.errors import MeshError, ProtocolError, VerificationError
from mathmesh.keys import derive
from mathmesh.keys.pair import PublicKey
from mathmesh.messaging.static_qr import AlreadyClaimed, ClaimResult
from mathmesh.schema.activated import activated_public
from mathmesh.schema.build import make_cataloged_device
from mathmesh.schema.cataloged import CatalogedDevice
from mathmesh.schema.key_data import KeyData
from mathmesh.types import Entropy
from meshhub import logging
from meshhub.link_suite import HubSuite
from meshhub.onboarding import discovery
from meshhub.onboarding.conversation import CLOSED, Conversation
from meshhub.onboarding.home import Admission, BrokerAccount, Home
from meshhub.onboarding.search import Search
from meshhub.plain_text import plain
from meshlink import description as descriptions
from meshlink import label
from meshlink.onboard_adopter import AdopterLink

FIND_SECONDS = 28.0
"""How long a device is looked for: the answer comes within 30 s of the request."""
ANSWER_SECONDS = 10.0
"""How long one address may take for handshake and hello; two X25519 on the slowest board take under two."""
BLINK_SECONDS = 10
SEEN_SECONDS = 600.0
"""How long a person may look for the light; the free device's own window is 15 min."""
RETURN_SECONDS = 600.0
"""A device that does not come back over the broker within 10 min has wiped itself (protocol book)."""
RENEW_SECONDS = 60.0
"""A provisional claim lapses after 120 s (protocol book)."""
LONGEST_REASON = 120
"""Characters that are shown of what a device says about itself."""
ROLES = ("device",)

log = logging.get(__name__)

_Answer = tuple[Conversation, dict[str, Any]]
"""A unit that answered properly, with its hello."""

State = Literal["running", "confirm", "done", "failed"]
StepState = Literal["waiting", "running", "done", "failed"]

STEPS = {
    "claim": "Label checked",
    "find": "Device found",
    "prove": "Device proved itself",
    "seen": "You saw it blink",
    "store": "Joined your home",
    "report": "First values",
}


class OnboardingError(MeshError):
    """An adoption that failed; the text says why and what to do. `step` names where."""

    def __init__(self, message: str, *, step: str = "") -> None:
        super().__init__(message)
        self.step = step


@dataclass(slots=True)
class Step:
    """One line of the progress that people see."""

    name: str
    text: str
    state: StepState = "waiting"


class Adoption:
    """Progress and outcome of adding one device. `changed` is called after every change, on the event
    loop. `instead_of` is an attempt with the same label that is stopped first.
    """

    def __init__(
        self,
        home: Home,
        uri: str,
        *,
        at: discovery.Address | None,
        yes: bool,
        name: str | None,
        room: str | None,
        entropy: Entropy,
        changed: Callable[[Adoption], None],
        instead_of: Adoption | None = None,
    ) -> None:
        self.id = secrets.token_hex(8)
        self.state: State = "running"
        self.steps = [Step(name=key, text=text) for key, text in STEPS.items()]
        self.error = ""
        self.question = ""
        self.device: str | None = None
        self._home = home
        self._uri = uri
        self._at = at
        self._yes = yes
        self._name = name
        self._room = room
        self._entropy = entropy
        self._changed = changed
        self._instead_of = instead_of
        self._stopped_because = "The adoption was stopped."
        self._admitted = False
        self._answer: asyncio.Future[bool] | None = None
        self._suite = HubSuite(entropy)
        self._task = asyncio.create_task(self._run())

    # -- what callers use
    def confirm(self, seen: bool) -> None:
        """Answer `question`. Raises ProtocolError when nothing is being asked."""
        if self._answer is None or self._answer.done():
            raise ProtocolError("This adoption asks nothing at the moment.")
        self._answer.set_result(seen)

    async def wait(self) -> str:
        """UDF of the device once it is in the home and reports; raises OnboardingError."""
        await asyncio.wait([self._task])
        if self.error or self.device is None:
            raise OnboardingError(self.error or "The adoption was stopped.", step=self._failed_step())
        return self.device

    async def cancel(self, because: str = "") -> None:
        """Stop; what is not yet in the home leaves no trace."""
        self._stopped_because = because or self._stopped_because
        self._task.cancel()
        await asyncio.gather(self._task, return_exceptions=True)

    # -- the course of it
    async def _run(self) -> None:
        try:
            if self._instead_of is not None:
                former, self._instead_of = self._instead_of, None
                await former.cancel("The same label was begun anew.")
            await self._adopt()
            self.state = "done"
        except asyncio.CancelledError:
            self._fail(self._stopped_because)
            raise
        except MeshError as error:
            self._fail(str(error))
        except Exception:
            self._fail("Something unforeseen went wrong; the hub's log has the details. Nothing was added.")
            raise
        finally:
            self._changed(self)

    async def _adopt(self) -> None:
        async with self._step("claim"):
            claim = await self._home.account.claim(self._uri)
        try:
            await self._check_known(claim)
            admission = await self._converse(claim)
        finally:
            if not self._admitted:
                with contextlib.suppress(MeshError):
                    await self._home.account.release_claim(claim.publication_id)
        self.device = admission.udf
        await self._await_report(admission.udf)

    async def _check_known(self, claim: ClaimResult) -> None:
        udf = claim.profile_device.udf
        if name := self._home.name_of(udf):
            raise OnboardingError(
                f"This device is already in your home as {name!r}. Forget it first to add it anew."
            )
        if self._home.was_removed(udf):
            question = "This device was in your home before and was removed. Add it again?"
            if not await self._ask(question, SEEN_SECONDS):
                raise OnboardingError("Not added: it was removed from your home before.")

    async def _converse(self, claim: ClaimResult) -> Admission:
        async with self._step("find"):
            conversation, hello = await self._find(claim)
        async with conversation:
            async with self._step("prove"):
                adopted = await self._adopt_unit(conversation, claim, hello)
            async with self._step("seen"), self._claim_kept():
                await self._until_seen(conversation, hello)
            async with self._step("store"):
                return await self._store(conversation, claim, adopted)

    async def _find(self, claim: ClaimResult) -> _Answer:
        """The first unit that completes the handshake of this label, with its hello."""
        lid = label.lid(self._suite, claim.publication_id)
        refusals: set[str] = set()
        kept: list[Conversation] = []

        async def attempt(address: discovery.Address, take: Callable[[_Answer], bool]) -> None:
            stream = await discovery.connect(address)
            if stream is None:
                return
            conversation = Conversation(self._link(claim, lid), stream, _now_ms)
            taken = False
            try:
                conversation.start()
                name, value = await self._first_event(conversation)
                refusals.add(name)
                taken = name == "hello" and take((conversation, value))
                kept.extend([conversation] if taken else [])
            finally:
                if not taken:
                    await conversation.close()

        search = Search(discovery.candidates(lid, claim.hailing, self._at), attempt)
        try:
            found = await search.run(FIND_SECONDS)
        except BaseException:
            for conversation in kept:
                await conversation.close()
            raise
        if found is None:
            told = [text for name, text in _REFUSALS.items() if name in refusals]
            raise OnboardingError(told[0] if told else _absent(self._at))
        return found

    async def _first_event(self, conversation: Conversation) -> tuple[str, Any]:
        try:
            async with asyncio.timeout(ANSWER_SECONDS):
                return await conversation.next()
        except TimeoutError:
            return "silent", None

    def _link(self, claim: ClaimResult, lid: bytes) -> AdopterLink:
        profile = claim.profile_device
        account = self._home.account
        return AdopterLink(
            self._suite,
            psk_on=label.psk_on(self._suite, claim.k),
            lid=lid,
            device_udf=_public(profile.profile_signature).udf_bytes,
            authentication=_public(profile.authentication).octets,
            account_udf=_public(account.profile_user.profile_signature).udf_bytes,
            account_address=account.address,
        )

    async def _adopt_unit(
        self, conversation: Conversation, claim: ClaimResult, hello: dict[str, Any]
    ) -> CatalogedDevice:
        """Hand the unit its activation and see it prove that it holds the key of the profile."""
        description = descriptions.check(hello["desc"])
        activation_seed = derive.new_seed(derive.ACTIVATION_ACCOUNT, self._entropy)
        cataloged = await asyncio.to_thread(self._catalog_entry, claim, activation_seed, description)
        account = self._home.account
        k_auth = activated_public(claim.profile_device, activation_seed).authentication
        act = cataloged.enveloped_activation_account
        assert isinstance(act, Envelope)
        own = account.device.authentication
        conversation.carry_out(
            conversation.link.adopt(act.to_json(), own.public.octets, own.agree(k_auth), _now_ms())
        )
        await self._expect(conversation, "proved")
        return cataloged

    def _catalog_entry(self, claim: ClaimResult, seed: str, description: dict[str, Any]) -> CatalogedDevice:
        account = self._home.account
        return make_cataloged_device(
            account.profile_envelope,
            claim.profile_envelope,
            account.administrator,
            ROLES,
            seed,
            self._entropy,
            datetime.now(UTC),
            local_name=self._name or self._home.propose_name(_kind(description)),
            room=self._room,
            description=description,
        )

    async def _until_seen(self, conversation: Conversation, hello: dict[str, Any]) -> None:
        conversation.carry_out(conversation.link.blink(BLINK_SECONDS, _now_ms()))
        question = "Is this the one that blinks?"
        if not hello.get("led"):
            question = "This board has no light. Does the text on its label match the unit in front of you?"
        lost = asyncio.create_task(self._expect(conversation, "never"))
        try:
            answer = asyncio.create_task(self._ask(question, SEEN_SECONDS))
            done, _ = await asyncio.wait([lost, answer], return_when=asyncio.FIRST_COMPLETED)
            if lost in done:
                answer.cancel()
                await lost
            if not await answer:
                raise OnboardingError(
                    "Not added: the light that blinked is not on the unit you meant. "
                    "The label may belong to another one."
                )
        finally:
            lost.cancel()
            await asyncio.gather(lost, return_exceptions=True)
        conversation.link.seen()

    @contextlib.asynccontextmanager
    async def _claim_kept(self) -> AsyncIterator[None]:
        """A person may need longer than the provisional claim lasts, so it is made anew meanwhile. When it
        was lost to somebody else, no secret leaves: raises OnboardingError.
        """
        lost: list[AlreadyClaimed] = []

        async def renew() -> None:
            while not lost:
                await asyncio.sleep(RENEW_SECONDS)
                try:
                    await self._home.account.claim(self._uri)
                except AlreadyClaimed as error:
                    lost.append(error)
                except MeshError as error:  # the next one is in time as well
                    log.warning("a claim could not be renewed", error=error)

        renewing = asyncio.create_task(renew())
        try:
            yield
        finally:
            renewing.cancel()
            await asyncio.gather(renewing, return_exceptions=True)
        if lost:
            raise OnboardingError(f"Not added, somebody else was faster: {lost[0]}") from lost[0]

    async def _store(
        self, conversation: Conversation, claim: ClaimResult, cataloged: CatalogedDevice
    ) -> Admission:
        broker = BrokerAccount(user=secrets.token_hex(8), password=secrets.token_urlsafe(24))
        values = {
            "wifi": self._home.networks(),
            "hub": self._home.broker_addresses(),
            "ca": "",
            "mq": [broker.user, broker.password],
            "name": cataloged.local_name or "",
            "now": _now_ms(),
        }
        conversation.carry_out(conversation.link.secrets(values, _now_ms()))
        await self._expect(conversation, "stored")
        keys = conversation.link.keys
        admission = Admission(
            cataloged=cataloged,
            claim_message_id=claim.claim_message_id,
            publication_id=claim.publication_id,
            udf=claim.profile_device.udf,
            device_udf=_public(claim.profile_device.profile_signature).udf_bytes,
            topic_id=keys["topic_id"],
            broker=broker,
            psk_run=keys["psk_run"],
            psk_repair=keys["psk_repair"],
            own=keys["own"],
        )
        await self._home.admit(admission)
        self._admitted = True
        self._stopped_because = "The device is in your home; its first values were not waited for."
        conversation.carry_out(conversation.link.commit(_now_ms()))
        await conversation.drained()
        # The device closes after commit; when it does not, it stays PENDING and finishes with its first run
        # session.
        with contextlib.suppress(TimeoutError, OnboardingError):
            async with asyncio.timeout(2):
                await self._expect(conversation, CLOSED)
        return admission

    async def _await_report(self, udf: str) -> None:
        async with self._step("report"):
            try:
                async with asyncio.timeout(RETURN_SECONDS):
                    await self._home.first_session(udf)
            except TimeoutError:
                await self._home.withdraw(udf)
                self.device = None
                raise OnboardingError(
                    "The device took its settings but never signed in, so it was removed again. Check that "
                    "its Wi-Fi reaches the hub, then add it again."
                ) from None

    async def _expect(self, conversation: Conversation, wanted: str) -> Any:
        """The value of the event `wanted`; other endings become an OnboardingError with their reason."""
        while True:
            name, value = await conversation.next()
            if name == wanted:
                return value
            if name in ("failed", "refused", "trouble"):
                raise OnboardingError(
                    f"The device refused: {plain(str(value.get('m') or value.get('c')), LONGEST_REASON)}. "
                    "Nothing was added."
                )
            if name == CLOSED:
                raise OnboardingError("The connection to the device broke off. Nothing was added; try again.")

    async def _ask(self, question: str, seconds: float) -> bool:
        if self._yes:
            return True
        self.question, self.state = question, "confirm"
        self._answer = asyncio.get_running_loop().create_future()
        self._changed(self)
        try:
            async with asyncio.timeout(seconds):
                return await self._answer
        except TimeoutError:
            raise OnboardingError("Nobody answered, so nothing was added.") from None
        finally:
            self.question, self.state, self._answer = "", "running", None
            self._changed(self)

    # -- progress
    @contextlib.asynccontextmanager
    async def _step(self, name: str) -> AsyncIterator[None]:
        step = next(step for step in self.steps if step.name == name)
        step.state = "running"
        self._changed(self)
        try:
            yield
        except BaseException:
            step.state = "failed"
            raise
        step.state = "done"
        self._changed(self)

    def _fail(self, text: str) -> None:
        self.state, self.error = "failed", text

    def _failed_step(self) -> str:
        return next((step.name for step in self.steps if step.state == "failed"), "")


_REFUSALS = {
    "busy": "Somebody else is adding this device at this moment. Wait two minutes, then try again.",
    "not now": "The device is not open for adding: it belongs to a home already, or its 15 minutes are over. "
    "Press its button once; hold it for 10 seconds to reset it.",
    "failed": "What answered is not the device of this label. If the label is the right one, reset it "
    "(hold its button for 10 seconds) and try again.",
    "silent": "What answered is not the device of this label. Check that the label belongs to this device.",
}


def _absent(at: discovery.Address | None) -> str:
    where = f"at {at}" if at else "on this network"
    return (
        f"The device was not found {where}. Check that it has power and is on the same network, press its "
        "button once, then try again."
    )


def _public(key: KeyData | None) -> PublicKey:
    if key is None:
        raise VerificationError("a profile lacks a key")
    return key.public_key()


def _kind(description: dict[str, Any]) -> str:
    nodes = description.get("n") or {}
    return str(next(iter(nodes.values()))["k"]) if nodes else "device"


def _now_ms() -> int:
    return int(datetime.now(UTC).timestamp() * 1000)
