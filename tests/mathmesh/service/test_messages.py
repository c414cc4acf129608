"""Requests and responses on the wire, held against the published examples."""

from __future__ import annotations

from dataclasses import fields

import pytest

from mathmesh.codec import jsonbcd
from mathmesh.dare.envelope import Envelope
from mathmesh.errors import ProtocolError
from mathmesh.service import messages as wire

DIGEST = "FEHy24Y6cLModDXWH31kVc2a3TdhjXPooKHpLAb2JbsO1YQnJolmowXAYHhkOGY0kg3jrKNTjds0myf4Dw1sdg"

# The examples of draft-hallambaker-mesh-protocol as published in May 2022, requests under their type name.
REQUESTS = [
    (b'{"HelloRequest":{}}', wire.HelloRequest()),
    (
        b'{"StatusRequest":{"CatalogedDeviceDigest":"MCVS-2II3-VYAM-XP25-A3AE-37V4-IY"}}',
        wire.StatusRequest(cataloged_device_digest="MCVS-2II3-VYAM-XP25-A3AE-37V4-IY"),
    ),
    (
        b'{"DownloadRequest":{"Select":[{"Container":"MMM_Credential","IndexMin":3,"IndexMax":4}]}}',
        wire.DownloadRequest(
            select=(wire.ConstraintsSelect(container="MMM_Credential", index_min=3, index_max=4),)
        ),
    ),
    (
        b'{"PollClaimRequest":{"PublicationId":"EBQB-KJVT-BYND-4GE2-U65R-FZFH-4C7O",'
        b'"TargetAccountAddress":"maker@example.com"}}',
        wire.PollClaimRequest(
            publication_id="EBQB-KJVT-BYND-4GE2-U65R-FZFH-4C7O", target_account_address="maker@example.com"
        ),
    ),
]


@pytest.mark.parametrize(("data", "expected"), REQUESTS)
def test_a_service_reads_both_tags_and_a_client_sends_the_operation(
    data: bytes, expected: wire.Request
) -> None:
    assert wire.decode_request(data) == expected
    operation = data.replace(expected.TAG.encode(), expected.OPERATION.encode(), 1)
    assert wire.decode_request(operation) == expected
    sent: object = jsonbcd.loads(expected.encode())
    assert isinstance(sent, dict)
    assert list(sent) == [expected.OPERATION]
    assert wire.decode_request(expected.encode()) == expected


def test_a_published_status_response_is_read() -> None:
    data = (
        b'{"StatusResponse":{"Status":201,"StatusDescription":"Operation completed successfully",'
        b'"ContainerStatus":[{"Container":"MMM_Inbound","Index":3},'
        b'{"Container":"MMM_Outbound","Index":1,"Digest":"' + DIGEST.encode() + b'"}]}}'
    )
    answer = wire.decode_response(data, wire.StatusResponse)
    assert answer.succeeded
    assert [(one.container, one.index) for one in answer.container_status] == [
        ("MMM_Inbound", 3),
        ("MMM_Outbound", 1),
    ]
    assert answer.container_status[0].digest is None
    assert answer.container_status[1].digest is not None
    assert answer.container_status[1].digest[:4].hex() == "1441f2db"
    assert DIGEST.encode() in answer.encode()


def test_every_operation_has_its_pair() -> None:
    assert set(wire.OPERATIONS) == {
        "Hello",
        "BindAccount",
        "UnbindAccount",
        "Status",
        "Download",
        "Transact",
        "Post",
        "Claim",
        "PollClaim",
        "Connect",
        "Complete",
        "Operate",
    }
    for operation, (request, response) in wire.OPERATIONS.items():
        assert request.OPERATION == operation
        assert wire.response_type(operation) is response
        assert {"status", "status_extended", "status_description"} <= {one.name for one in fields(response)}
        assert wire.decode_response(response(status=404).encode(), response) == response(status=404)
    assert set(wire.OPERATIONS) >= wire.PUBLIC_OPERATIONS


def test_envelopes_keep_every_member() -> None:
    envelope = Envelope(
        {"EnvelopeId": "x", "Unheard": [1, {"of": [2]}]}, b"\x00body", {"PayloadDigest": "AA"}
    )
    request = wire.TransactRequest(
        updates=(
            wire.ContainerUpdate(container="MMM_Device", index=4, digest=b"\xff", envelopes=(envelope,)),
        ),
        local=(envelope,),
        accounts=("a@b.c",),
    )
    assert wire.decode_request(request.encode()) == request


def test_unknown_members_are_kept_and_null_is_absent() -> None:
    request = wire.decode_request(b'{"Status":{"DeviceUDF":"M","Catalogs":null}}')
    assert isinstance(request, wire.StatusRequest)
    assert request.catalogs == ()
    assert request.unknown == {"DeviceUDF": "M"}


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"1",
        b"{}",
        b'{"Hello":{},"Status":{}}',
        b'{"Hello":1}',
        b'{"Hi":{}}',
        b'{"Status":{"Account":1}}',
    ],
)
def test_what_is_no_request(data: bytes) -> None:
    with pytest.raises(ProtocolError):
        wire.decode_request(data)


def test_what_is_not_the_response_asked_for() -> None:
    bare = wire.Response(status=500, status_description="down")
    assert wire.decode_response(bare.encode(), wire.ClaimResponse) == wire.ClaimResponse(
        status=500, status_description="down"
    )
    for data in (wire.BindResponse(status=201).encode(), b'{"ClaimResponse":{"Status":"201"}}', b"null"):
        with pytest.raises(ProtocolError):
            wire.decode_response(data, wire.ClaimResponse)
    assert not wire.ClaimResponse().succeeded
    assert not wire.ClaimResponse(status=307).succeeded
    assert wire.ClaimResponse(status=200).succeeded
