"""Requests and responses of the Mesh service."""

from collections.abc import Iterable

from mathmesh.codec import jsonbcd
from mathmesh.dare.envelope import seal
from mathmesh.errors import MeshError, ProtocolError
from mathmesh.service import messages


def _entropy(count: int) -> bytes:
    return (b"fuzz" * count)[:count]


def seeds() -> Iterable[bytes]:
    """A request and a response of each kind, some with content."""
    envelope = seal(b"entry", entropy=_entropy)
    update = messages.ContainerUpdate(
        container="MMM_Contact", index=1, digest=bytes(64), envelopes=(envelope,)
    )
    yield messages.TransactRequest(updates=(update,), local=(envelope,), accounts=("a@example.com",)).encode()
    yield messages.StatusRequest(catalogs=("MMM_Device",), cataloged_device_digest="M").encode()
    select = messages.ConstraintsSelect(container="MMM_Inbound", index_min=1, index_max=9)
    yield messages.DownloadRequest(select=(select,)).encode()
    yield messages.DownloadResponse(status=201, updates=(update,)).encode()
    yield jsonbcd.dumps_b({"StatusResponse": {"Status": 400, "ContainerStatus": [{"Digest": bytes(64)}]}})
    for request, response in messages.OPERATIONS.values():
        yield request().encode()
        yield response(status=201).encode()


def one(data: bytes) -> None:
    """What is read is written and read again alike; anything else is refused as a ProtocolError."""
    try:
        request = messages.decode_request(data)
        assert messages.decode_request(request.encode()).encode() == request.encode()
    except ProtocolError:
        pass
    except MeshError as error:
        raise AssertionError(f"another refusal: {error!r}") from error
    for _, kind in messages.OPERATIONS.values():
        try:
            response = messages.decode_response(data, kind)
        except ProtocolError:
            continue
        assert messages.decode_response(response.encode(), kind).encode() == response.encode()
        assert response.succeeded in (True, False)
