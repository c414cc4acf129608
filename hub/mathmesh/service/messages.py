"""Requests and responses of the Mesh service (draft-hallambaker-mesh-protocol).

A request travels under its *operation* name, a response under its *type* name. The drafts' examples print
requests under their type name too; a service accepts both, a client sends the operation name.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar, TypeVar

from mathmesh.codec import jsonbcd
from mathmesh.dare.envelope import Envelope
from mathmesh.errors import EncodingError, ProtocolError
from mathmesh.schema.cataloged import CatalogedPublication
from mathmesh.schema.mesh_object import JsonObject, MeshStruct, mesh_type

SUCCESS = 201
BAD_REQUEST = 400
UNAUTHORIZED = 401
NOT_FOUND = 404
CONFLICT = 409
SERVER_ERROR = 500
UNAVAILABLE = 503

# StatusExtended
ACCOUNT_REGISTERED = 1
NOT_AUTHORIZED = 2
NOT_ADMINISTRATOR = 3
DEVICE_REVOKED = 4
REFUSED = 5
ABSENT = 6
MOVED = 7
TOO_LARGE = 8
TIMEOUT = 9

SUCCESS_TEXT = "Operation completed successfully"


# -- structures ----------------------------------------------------------------------------------
@mesh_type
class ContainerStatus(MeshStruct):
    """State of one store: number of frames, and the tree digest of the last one where there is a tree."""

    container: str | None = None
    index: int | None = None
    digest: bytes | None = None


@mesh_type
class ContainerUpdate(MeshStruct):
    """Envelopes for one store.

    In Transact, `index` is the frame number of the first envelope and `digest` the tree digest of the
    frame before it, as the sender knows the store; either may be absent. In a Download response `index`
    is the frame number of the first envelope and `digest` the tree digest of the store's last frame.
    """

    container: str | None = None
    index: int | None = None
    digest: bytes | None = None
    envelopes: tuple[Envelope, ...] = ()


@mesh_type
class ConstraintsSelect(MeshStruct):
    """Frames `index_min` up to but not including `index_max` of one store."""

    container: str | None = None
    index_min: int | None = None
    index_max: int | None = None
    not_before: str | None = None
    before: str | None = None
    page_key: str | None = None


@mesh_type
class ConstraintsData(MeshStruct):
    """Limits on what one message may carry; `bytes_max` in octets."""

    max_entries: int | None = None
    bytes_offset: int | None = None
    bytes_max: int | None = None
    header: bool | None = None
    payload: bool | None = None
    trailer: bool | None = None


@mesh_type
class PolicyAccount(MeshStruct):
    """Which account names the service accepts; lengths in characters."""

    minimum: int | None = None
    maximum: int | None = None
    invalid_characters: str | None = None


@mesh_type
class EntryResponse(MeshStruct):
    """Outcome for one update: `result` is Accept, Reject or Conflict; `index_container` the store's count.

    In the answer to Post it is that for one recipient; `reason`, which is ours, says why not.
    """

    index_request: int | None = None
    index_container: int | None = None
    result: str | None = None
    reason: str | None = None


ACCEPT, REJECT, IN_CONFLICT = "Accept", "Reject", "Conflict"
LATER = "Later"
"""Ours, in the answer to Post: not at this moment."""


# -- requests ------------------------------------------------------------------------------------
@mesh_type
class Request(MeshStruct):
    """Base of the requests: `OPERATION` is the wire tag that a client sends, `TAG` the type name."""

    OPERATION: ClassVar[str] = ""
    TAG: ClassVar[str] = "MeshRequest"

    def encode(self) -> bytes:
        """The request as a client sends it."""
        return jsonbcd.dumps({self.OPERATION: self.write()})


@mesh_type
class HelloRequest(Request):
    OPERATION: ClassVar[str] = "Hello"
    TAG: ClassVar[str] = "HelloRequest"


@mesh_type
class BindRequest(Request):
    """An account asks to be taken in; `invitation` is ours, for services that take in whom they invited."""

    OPERATION: ClassVar[str] = "BindAccount"
    TAG: ClassVar[str] = "BindRequest"
    account_address: str | None = None
    enveloped_profile_account: Envelope | None = None
    enveloped_callsign_binding: tuple[Envelope, ...] = ()
    invitation: str | None = None


@mesh_type
class UnbindRequest(Request):
    """The account leaves the service, which then keeps nothing of it."""

    OPERATION: ClassVar[str] = "UnbindAccount"
    TAG: ClassVar[str] = "UnbindRequest"
    account: str | None = None


@mesh_type
class StatusRequest(Request):
    OPERATION: ClassVar[str] = "Status"
    TAG: ClassVar[str] = "StatusRequest"
    account: str | None = None
    cataloged_device_digest: str | None = None
    catalogs: tuple[str, ...] = ()
    spools: tuple[str, ...] = ()


@mesh_type
class DownloadRequest(Request):
    OPERATION: ClassVar[str] = "Download"
    TAG: ClassVar[str] = "DownloadRequest"
    account: str | None = None
    select: tuple[ConstraintsSelect, ...] = ()
    constraints_post: ConstraintsData | None = None


@mesh_type
class TransactRequest(Request):
    OPERATION: ClassVar[str] = "Transact"
    TAG: ClassVar[str] = "TransactRequest"
    account: str | None = None
    updates: tuple[ContainerUpdate, ...] = ()
    accounts: tuple[str, ...] = ()
    outbound: tuple[Envelope, ...] = ()
    inbound: tuple[Envelope, ...] = ()
    local: tuple[Envelope, ...] = ()


@mesh_type
class PostRequest(Request):
    """A service delivers messages of one of its accounts to accounts of another service.

    `sender` and its profile are ours: the account that signed the messages.
    """

    OPERATION: ClassVar[str] = "Post"
    TAG: ClassVar[str] = "PostRequest"
    accounts: tuple[str, ...] = ()
    messages: tuple[Envelope, ...] = ()
    sender: str | None = None
    enveloped_profile_account: Envelope | None = None


@mesh_type
class ClaimRequest(Request):
    OPERATION: ClassVar[str] = "Claim"
    TAG: ClassVar[str] = "ClaimRequest"
    enveloped_message_claim: Envelope | None = None


@mesh_type
class PollClaimRequest(Request):
    OPERATION: ClassVar[str] = "PollClaim"
    TAG: ClassVar[str] = "PollClaimRequest"
    target_account_address: str | None = None
    publication_id: str | None = None


@mesh_type
class ConnectRequest(Request):
    """A device asks to join an account; the envelope holds a RequestConnection."""

    OPERATION: ClassVar[str] = "Connect"
    TAG: ClassVar[str] = "ConnectRequest"
    enveloped_request_connection: Envelope | None = None
    rights: tuple[str, ...] = ()


@mesh_type
class CompleteRequest(Request):
    """A device asks for the answer to its request or claim, by the id of that answer."""

    OPERATION: ClassVar[str] = "Complete"
    TAG: ClassVar[str] = "CompleteRequest"
    account_address: str | None = None
    response_id: str | None = None


@mesh_type
class OperateRequest(Request):
    """Cryptographic operations with the service's shares, each a tagged object (mesh-protocol §10)."""

    OPERATION: ClassVar[str] = "Operate"
    TAG: ClassVar[str] = "OperateRequest"
    account_address: str | None = None
    operations: tuple[JsonObject, ...] = ()


# -- responses -----------------------------------------------------------------------------------
@mesh_type
class Response(MeshStruct):
    """Base of the responses. `status` is 2xx for success and is what counts, whatever the transport says."""

    TAG: ClassVar[str] = "MeshResponse"
    status: int | None = None
    status_extended: int | None = None
    status_description: str | None = None

    @property
    def succeeded(self) -> bool:
        """Whether the operation was carried out."""
        return self.status is not None and 200 <= self.status < 300

    def encode(self) -> bytes:
        """The response as a service sends it."""
        return jsonbcd.dumps({self.TAG: self.write()})


@mesh_type
class MeshHelloResponse(Response):
    TAG: ClassVar[str] = "MeshHelloResponse"
    version: JsonObject | None = None
    constraints_update: ConstraintsData | None = None
    constraints_post: ConstraintsData | None = None
    policy_account: PolicyAccount | None = None
    enveloped_profile_service: Envelope | None = None
    enveloped_profile_host: Envelope | None = None
    enveloped_connection_host: Envelope | None = None


@mesh_type
class BindResponse(Response):
    TAG: ClassVar[str] = "BindResponse"
    reason: str | None = None
    enveloped_account_host_assignment: Envelope | None = None


@mesh_type
class UnbindResponse(Response):
    TAG: ClassVar[str] = "UnbindResponse"


@mesh_type
class StatusResponse(Response):
    TAG: ClassVar[str] = "StatusResponse"
    enveloped_profile_account: Envelope | None = None
    enveloped_cataloged_device: Envelope | None = None
    cataloged_device_digest: str | None = None
    container_status: tuple[ContainerStatus, ...] = ()
    enveloped_account_host_assignment: Envelope | None = None


@mesh_type
class DownloadResponse(Response):
    TAG: ClassVar[str] = "DownloadResponse"
    updates: tuple[ContainerUpdate, ...] = ()


@mesh_type
class TransactResponse(Response):
    TAG: ClassVar[str] = "TransactResponse"
    entries: tuple[EntryResponse, ...] = ()
    constraints_data: ConstraintsData | None = None


@mesh_type
class PostResponse(Response):
    """What became of the messages, one entry for each recipient."""

    TAG: ClassVar[str] = "PostResponse"
    entries: tuple[EntryResponse, ...] = ()


@mesh_type
class ClaimResponse(Response):
    """`claimed_by` is ours: the account that holds the publication, told to a claimant who has the label."""

    TAG: ClassVar[str] = "ClaimResponse"
    cataloged_publication: CatalogedPublication | None = None
    claimed_by: str | None = None


@mesh_type
class PollClaimResponse(Response):
    TAG: ClassVar[str] = "PollClaimResponse"
    enveloped_message: Envelope | None = None


@mesh_type
class ConnectResponse(Response):
    TAG: ClassVar[str] = "ConnectResponse"
    enveloped_acknowledge_connection: Envelope | None = None
    enveloped_profile_account: Envelope | None = None


@mesh_type
class CompleteResponse(Response):
    TAG: ClassVar[str] = "CompleteResponse"
    enveloped_respond_connection: Envelope | None = None
    enveloped_account_host_assignment: Envelope | None = None


@mesh_type
class OperateResponse(Response):
    """`results` are tagged objects in the order of the operations."""

    TAG: ClassVar[str] = "OperateResponse"
    results: tuple[JsonObject, ...] = ()


# -- the table -----------------------------------------------------------------------------------
OPERATIONS: dict[str, tuple[type[Request], type[Response]]] = {
    "Hello": (HelloRequest, MeshHelloResponse),
    "BindAccount": (BindRequest, BindResponse),
    "UnbindAccount": (UnbindRequest, UnbindResponse),
    "Status": (StatusRequest, StatusResponse),
    "Download": (DownloadRequest, DownloadResponse),
    "Transact": (TransactRequest, TransactResponse),
    "Post": (PostRequest, PostResponse),
    "Claim": (ClaimRequest, ClaimResponse),
    "PollClaim": (PollClaimRequest, PollClaimResponse),
    "Connect": (ConnectRequest, ConnectResponse),
    "Complete": (CompleteRequest, CompleteResponse),
    "Operate": (OperateRequest, OperateResponse),
}
_BY_TAG: dict[str, type[Request]] = {
    name: request for request, _ in OPERATIONS.values() for name in (request.OPERATION, request.TAG)
}
_BY_TAG["MeshHelloRequest"] = HelloRequest
_BY_TAG["CreateAccount"] = BindRequest
_BY_TAG["DeleteAccount"] = UnbindRequest

R = TypeVar("R", bound=Response)

PUBLIC_OPERATIONS = frozenset({"Hello", "Claim", "PollClaim", "Connect", "Complete"})


def response_type(operation: str) -> type[Response]:
    """The response type of an operation name."""
    return OPERATIONS[operation][1]


def decode_request(data: bytes) -> Request:
    """Read one request under its operation or type name.

    Raises ProtocolError for anything that is not exactly one well-formed request of a known operation.
    """
    tag, content = _only_member(data)
    kind = _BY_TAG.get(tag)
    if kind is None:
        raise ProtocolError(f"this service has no operation {tag[:40]!r}")
    try:
        return kind.read(content)
    except EncodingError as error:
        raise ProtocolError(str(error)) from None


def decode_response(data: bytes, expected: type[R]) -> R:
    """Read the response to a request; a bare MeshResponse (an error without members) is accepted for each.

    Raises ProtocolError when it is malformed or of another type.
    """
    tag, content = _only_member(data)
    if tag not in (expected.TAG, Response.TAG):
        raise ProtocolError(f"the service answered {tag[:40]!r} where {expected.TAG} was expected")
    try:
        return expected.read(content)
    except EncodingError as error:
        raise ProtocolError(str(error)) from None


def _only_member(data: bytes) -> tuple[str, object]:
    try:
        tree = jsonbcd.loads(data)
    except EncodingError as error:
        raise ProtocolError(f"not a message: {error}") from None
    if not isinstance(tree, Mapping) or len(tree) != 1:
        raise ProtocolError("a message is an object with exactly one member, its tag")
    ((tag, content),) = tree.items()
    return str(tag), content
