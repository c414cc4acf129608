"""Writing a sequence: octets to append for data, envelopes and whole frames (mesh-dare §5.2, §5.3).

A writer never touches a file. `stage_…` returns the octets and the state behind them, `commit` takes that
state over once the octets are safely in place; a stage that is dropped leaves no trace but used-up salts.
Each writer that encrypts draws a base seed of its own (policy Once: the seed of the file) and never gives
out a salt twice, so no pair of seed and salt repeats.
"""

from collections.abc import Callable, Iterable, Sequence
from datetime import datetime
from typing import Any

from mathmesh.codec import b64, jsonbcd
from mathmesh.dare import edss, exchange, merkle, protection
from mathmesh.dare.content_meta import ContentMeta, format_time
from mathmesh.dare.frame import RawFrame, pack_frame, unpack_frame
from mathmesh.dare.policy import ISOLATED, ONCE, Policy
from mathmesh.dare.salts import Salts
from mathmesh.dare.sealed_frames import SealedFrames
from mathmesh.dare.sequence import CHAIN, CONTAINER_TYPES, DIGEST_TYPES, MERKLE, POSITION_TYPES, parse_frame
from mathmesh.dare.sequence_reader import Reader
from mathmesh.dare.sequence_state import Staged, State
from mathmesh.dare.structure import MAXIMUM_HEADER, Envelope
from mathmesh.dare.suites import A256CBC, S512
from mathmesh.errors import EncodingError, PolicyError, StoreError, VerificationError
from mathmesh.types import Entropy

Item = tuple[bytes, ContentMeta | None]
"""Plaintext and its description."""
Text = Callable[[dict[str, Any]], bytes]

_OTHER_MEMBERS = 256
"""Octets of a sealed header at most, without its description."""
_LONG_HEADER = "header of the frame is longer than 64 KiB; shorten the description"
_FIRST_MEMBERS = ("signatures", "SignedData", "PayloadDigest")
_MOVED_MEMBERS = frozenset(
    (*_FIRST_MEMBERS, "SequenceInfo", "SequenceIndex", "ChainDigest", "TreeDigest", "FrameMac", "Received")
)
"""Members of an envelope that are placed anew, or that belong to the store it came from."""


class Writer:
    """Makes the frames of one sequence; see `new_sequence` and `continue_sequence`."""

    def __init__(
        self,
        container_type: str,
        policy: Policy,
        *,
        entropy: Entropy,
        state: State | None = None,
        seed: bytes = b"",
        text: Text | None = None,
    ) -> None:
        if container_type not in CONTAINER_TYPES:
            raise PolicyError(f"no such container type: {container_type!r}")
        self.container_type = container_type
        self.policy = policy
        self.state = state or State()
        self._entropy = entropy
        self._text = text
        self._seed = seed
        self._mac_key = protection.frame_mac_key(seed) if seed else b""
        self._quick: SealedFrames | None = None
        self._salts = Salts(entropy)

    @property
    def apex(self) -> bytes | None:
        """TreeDigest of the last frame in type Merkle, else None."""
        return self.state.tree.apex if self.container_type == MERKLE else None

    def commit(self, staged: Staged) -> None:
        """Takes over the state behind `staged`, which was staged last and is now in place."""
        self.state = staged.state

    def stage_first(self, content_meta: ContentMeta | None = None) -> Staged:
        """Frame 0: container type, policy, description; with a policy that encrypts also the exchange."""
        if self.state.count:
            raise StoreError("sequence has a first frame already")
        state = self.state.copy()
        header: dict[str, Any] = {}
        body = b""
        if self.policy.encrypts:
            salt = self._begin(header, state)
            body = protection.encrypt(self._seed, salt, b"")
        elif self.container_type in DIGEST_TYPES:
            header["dig"] = S512
        header["policy"] = self.policy.to_json()
        if content_meta is not None:
            header["ContentMetaData"] = b64.encode(content_meta.encode())
        header["SequenceInfo"] = {"DataEncoding": "JSON", "ContainerType": self.container_type, "Index": 0}
        octets = self._finish(state, self._print(header), body)
        return Staged(octets=octets, positions=(0,), state=state)

    def stage(self, items: Sequence[Item]) -> Staged:
        """Frames of data, sealed as the policy says."""
        state = self._next()
        pieces: list[bytes] = []
        positions: list[int] = []
        for number, (plaintext, content_meta) in enumerate(items):
            if state.exchange_index is not None and self._text is None:
                self._quick_frames(state, items[number:], pieces, positions)
                break
            positions.append(state.end)
            pieces.append(self._data_frame(state, plaintext, content_meta))
        return Staged(octets=b"".join(pieces), positions=tuple(positions), state=state)

    def stage_envelope(self, envelope: Envelope, received: datetime | None = None) -> Staged:
        """The frame of a finished envelope: digests and signatures go first in its header, trailer `{}`.

        Raises VerificationError when its PayloadDigest is not that of its body, PolicyError when it is
        encrypted and has no recipients.
        """
        state, members = self._next(), envelope.merged()
        if protection.is_encrypted(members) and not members.get("recipients"):
            raise PolicyError("an encrypted envelope without recipients cannot be stored; copy them in")
        digest = protection.check_payload_digest(members, envelope.body)
        header = {name: members[name] for name in _FIRST_MEMBERS if name in members}
        if self.container_type in DIGEST_TYPES:
            digest = digest or protection.payload_digest(envelope.body)
            header["PayloadDigest"] = b64.encode(digest)
            if "dig" not in members:
                members = {"dig": S512} | members
        info = self._sequence_info(state)
        position = state.end
        header |= self._link(state, digest or b"")
        header |= {name: value for name, value in members.items() if name not in _MOVED_MEMBERS}
        header["SequenceInfo"] = info
        if received is not None:
            header["Received"] = format_time(received)
        elif "Received" in members:
            header["Received"] = members["Received"]
        octets = self._pack(state, [self._print(header), envelope.body, b"{}"])
        return Staged(octets=octets, positions=(position,), state=state)

    def stage_envelopes(self, envelopes: Iterable[Envelope], received: datetime | None = None) -> Staged:
        """The frames of several finished envelopes; raises what `stage_envelope` does."""
        before = self.state
        pieces: list[bytes] = []
        positions: list[int] = []
        try:
            for envelope in envelopes:
                staged = self.stage_envelope(envelope, received)
                pieces.append(staged.octets)
                positions += staged.positions
                self.state = staged.state
            return Staged(octets=b"".join(pieces), positions=tuple(positions), state=self.state)
        finally:
            self.state = before

    def apex_with(self, envelopes: Iterable[Envelope]) -> bytes | None:
        """What `apex` would be with these envelopes appended; raises what `stage_envelope` does."""
        tree = self._next().tree
        apex = self.apex
        for envelope in envelopes:
            digest = protection.check_payload_digest(envelope.merged(), envelope.body)
            apex = tree.append(0, digest or protection.payload_digest(envelope.body))
        return apex if self.container_type == MERKLE else None

    def stage_index(self, index: dict[str, Any], previous: int | None) -> Staged:
        """An index frame (mesh-dare §5.4) with this SequenceIndex; `previous` is the file offset of the one
        before it. No digest covers what it says.
        """
        state = self._next()
        position, info = state.end, self._sequence_info(state)
        if previous is not None:
            info["IndexPosition"] = previous
        header: dict[str, Any] = {}
        digest = b""
        if self.container_type in DIGEST_TYPES:
            digest = protection.payload_digest(b"")
            header |= {"PayloadDigest": b64.encode(digest), "dig": S512}
        header |= self._link(state, digest)
        header |= {"SequenceIndex": index, "SequenceInfo": info}
        octets = self._pack(state, [self._print(header), b"", b"{}"])
        return Staged(octets=octets, positions=(position,), state=state)

    def stage_raw(self, octets: bytes) -> Staged:
        """A whole frame made elsewhere for exactly this place: number, digests and links are verified."""
        state = self._next()
        position = state.end
        raw = RawFrame(position=position, length=len(octets), records=unpack_frame(octets))
        frame = parse_frame(raw)
        if frame.index != state.count:
            raise StoreError(f"frame bears the number {frame.index}, the next one is {state.count}")
        digest = protection.check_payload_digest(frame.merged, frame.body)
        if self.container_type in DIGEST_TYPES and digest is None:
            raise VerificationError(f"frame {frame.index} has no PayloadDigest")
        if self.container_type in POSITION_TYPES and frame.tree_position != state.tree.next_tree_position():
            raise VerificationError(f"frame {frame.index} was made for another file")
        for name, value in self._link(state, digest or b"").items():
            if protection.binary(frame.merged, name) != b64.decode(value):
                raise VerificationError(f"{name} of frame {frame.index} does not follow from this sequence")
        state.end += len(octets)
        return Staged(octets=octets, positions=(position,), state=state)

    def _next(self) -> State:
        if not self.state.count:
            raise StoreError("sequence has no first frame yet")
        return self.state.copy()

    def _data_frame(self, state: State, plaintext: bytes, content_meta: ContentMeta | None) -> bytes:
        """One frame of data; `state` moves behind it."""
        if self.policy.encrypts:
            members: dict[str, Any] = {}
            salt = self._begin(members, state)
            members |= self._description(content_meta, salt)
            header = self._header(members, state)
            return self._finish(state, header, protection.encrypt(self._seed, salt, plaintext))
        members = {"dig": S512} if self.container_type in DIGEST_TYPES else {}
        members |= self._description(content_meta)
        return self._finish(state, self._header(members, state), plaintext)

    def _description(self, content_meta: ContentMeta | None, salt: bytes = b"") -> dict[str, str]:
        """The member that describes the data, cloaked under `salt` where the policy asks for that."""
        if content_meta is None:
            return {}
        text = b64.encode(content_meta.encode())
        if not (salt and self.policy.cloaked):
            return {"ContentMetaData": text}
        octets = jsonbcd.dumps({"ContentMetaData": text})
        return {"cloaked": b64.encode(edss.encode(edss.prefix(0), octets, self._seed, salt))}

    def _begin(self, header: dict[str, Any], state: State) -> bytes:
        """Starts `header` of a sealed frame, with a new exchange where one is due; returns the salt."""
        due = state.exchange_index is None
        if due and (not self._seed or self.policy.encryption == ISOLATED):
            self._seed = self._entropy(protection.SEED_OCTETS)
            self._mac_key = protection.frame_mac_key(self._seed)
            self._quick = None
        salt = self._salts.take(1)[0]
        header["enc"] = A256CBC
        header["dig"] = S512
        header["Salt"] = b64.encode(salt)
        if due:
            header["recipients"] = exchange.make_recipients(
                self._seed, entropy=self._entropy, recipients=self.policy.encrypt_keys
            )
            if self.policy.encryption != ISOLATED:
                state.exchange_index = state.count
        return salt

    def _header(self, header: dict[str, Any], state: State) -> bytes:
        info = self._sequence_info(state)
        if "Salt" in header and "recipients" not in header:
            info["ExchangePosition"] = state.exchange_index
        header["SequenceInfo"] = info
        return self._print(header)

    def _quick_frames(
        self, state: State, items: Sequence[Item], pieces: list[bytes], positions: list[int]
    ) -> None:
        """What `_data_frame` gives for sealed frames that point at an exchange, in half the time."""
        if self._quick is None:
            self._quick = SealedFrames(
                self._seed, self.container_type, authenticated=self.policy.authenticated
            )
        make, salts = self._quick.make, self._salts.take(len(items))
        for salt, (plaintext, content_meta) in zip(salts, items, strict=True):
            described = b""
            if content_meta is not None:
                for name, text in self._description(content_meta, salt).items():
                    described = b'"%b":"%b",' % (name.encode(), text.encode())
                if len(described) > MAXIMUM_HEADER - _OTHER_MEMBERS:
                    raise EncodingError(_LONG_HEADER)
            positions.append(state.end)
            pieces.append(make(state, salt, plaintext, described))

    def _sequence_info(self, state: State) -> dict[str, Any]:
        info: dict[str, Any] = {"Index": state.count}
        if self.container_type in POSITION_TYPES:
            info["TreePosition"] = state.tree.next_tree_position()
        return info

    def _finish(self, state: State, header: bytes, body: bytes) -> bytes:
        """Adds digests, links and MAC, and packs the frame."""
        first, sealed = not state.count, self.policy.encrypts
        digests = sealed or self.container_type in DIGEST_TYPES
        digest = protection.payload_digest(body) if digests else b""
        linked = self._link(state, digest)
        records = [header, body]
        if digests:
            trailer = {"PayloadDigest": b64.encode(digest)}
            trailer.update(linked)
            if sealed and self.policy.authenticated:
                trailer["FrameMac"] = b64.encode(protection.frame_mac(self._mac_key, header, digest))
            records.append(self._print_trailer(trailer))
        elif first:
            records.append(b"")
        return self._pack(state, records)

    def _link(self, state: State, digest: bytes) -> dict[str, str]:
        """The digest member that links the next frame to the earlier ones; counts it in `state`."""
        state.count += 1
        if self.container_type == MERKLE:
            return {"TreeDigest": b64.encode(state.tree.append(state.end, digest))}
        if self.container_type == CHAIN:
            state.chain = merkle.combine(state.chain, digest)
            return {"ChainDigest": b64.encode(state.chain)}
        if self.container_type in POSITION_TYPES:
            state.tree.append_position(state.end)
        return {}

    def _print(self, header: dict[str, Any]) -> bytes:
        return jsonbcd.dumps(header) if self._text is None else self._text(header)

    def _print_trailer(self, trailer: dict[str, str]) -> bytes:
        if self._text is not None:
            return self._text(trailer)
        return ("{" + ",".join([f'"{name}":"{value}"' for name, value in trailer.items()]) + "}").encode()

    def _pack(self, state: State, records: list[bytes]) -> bytes:
        if len(records[0]) > MAXIMUM_HEADER:
            raise EncodingError(_LONG_HEADER)
        octets = pack_frame(records)
        state.end += len(octets)
        return octets


def new_sequence(
    container_type: str,
    policy: Policy,
    *,
    entropy: Entropy,
    content_meta: ContentMeta | None = None,
    text: Text | None = None,
) -> tuple[Writer, Staged]:
    """A writer for a sequence that does not exist yet, and its first frame, not committed.

    `text` replaces our compact JSON by another layout of header and trailer.
    """
    writer = Writer(container_type, policy, entropy=entropy, text=text)
    return writer, writer.stage_first(content_meta)


def continue_sequence(reader: Reader, *, entropy: Entropy) -> Writer:
    """A writer that appends to the sequence of `reader`.

    With policy Once the file's own base seed is needed: raises KeyUnavailableError without a key for it.
    """
    last = reader.last()
    tree = reader.tree_state() if reader.container_type in POSITION_TYPES else merkle.TreeState()
    chain = merkle.MISSING
    if reader.container_type == CHAIN:
        chain = protection.binary(last.merged, "ChainDigest") or merkle.MISSING
    once = reader.policy.encrypts and reader.policy.encryption == ONCE
    state = State(
        count=last.index + 1,
        end=reader.size,
        tree=tree,
        chain=chain,
        exchange_index=0 if once else None,
    )
    seed = reader.base_seed(reader.first) if once else b""
    return Writer(reader.container_type, reader.policy, entropy=entropy, state=state, seed=seed)
