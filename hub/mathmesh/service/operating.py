"""Operate: partial key agreements by the shares that an account has entrusted to its service.

The caller may be of another account (a member of a group, say), even of one at another service; the
capability in the account's MMM_Access decides. The address of a caller from elsewhere is no proof: to it the
capability must be granted by the UDF of its account's profile, or of its key. Order of checks for each
operation: the capability exists and is active, it is granted to this very caller, the share in it was signed
by the account's administrator, the caller keeps to the pace.
"""

from __future__ import annotations

from datetime import datetime

from mathmesh.errors import MeshError
from mathmesh.schema.capability import CapabilityDecryptServiced
from mathmesh.schema.cataloged import CatalogedAccess
from mathmesh.schema.mesh_object import JsonObject
from mathmesh.schema.verify.capability import Grantee, is_granted, verify_serviced_share
from mathmesh.service import messages as wire
from mathmesh.service.access import Caller
from mathmesh.service.refusal import Refusal
from mathmesh.service.state import Account, ServiceState
from mathmesh.stores import ACCESS
from mathmesh.threshold.agreement import ShareAgreement
from mathmesh.threshold.operate import KeyAgreementOperation, KeyAgreementResult

OPERATIONS_MOST = 64
"""Operations in one request."""
REFUSED = "A requested cryptographic operation failed."
"""The same text for every reason: a caller learns nothing of capabilities that are not its own."""


def operate(
    request: wire.OperateRequest, state: ServiceState, caller: Caller, now: datetime
) -> wire.OperateResponse:
    """Do each operation for the caller; what is refused has an Error in its place of the results."""
    account = state.by_address(request.account_address or caller.account)
    if account is None:
        text = f"{(request.account_address or '')[:80]} is not an account of this service"
        raise Refusal(wire.NOT_FOUND, wire.ABSENT, text)
    if not 0 < len(request.operations) <= OPERATIONS_MOST:
        text = f"a request has 1 to {OPERATIONS_MOST} operations"
        raise Refusal(wire.BAD_REQUEST, wire.REFUSED, text)
    if not state.operations.allows(f"{caller.account} {caller.key_id}", now, len(request.operations)):
        raise Refusal(wire.BAD_REQUEST, wire.REFUSED, "too many operations at this moment; try again later")
    results = tuple(_one(value, account, state, caller, now).to_json() for value in request.operations)
    return wire.OperateResponse(status=wire.SUCCESS, status_description=wire.SUCCESS_TEXT, results=results)


def _one(
    value: JsonObject, account: Account, state: ServiceState, caller: Caller, now: datetime
) -> KeyAgreementResult:
    try:
        operation = KeyAgreementOperation.from_json(value)
        entry = account.catalogs[ACCESS].get(operation.key_id)
        capability = entry.capability if isinstance(entry, CatalogedAccess) else None
        if not isinstance(capability, CapabilityDecryptServiced):
            return KeyAgreementResult(error=REFUSED)
        share = verify_serviced_share(
            capability,
            grantee=_grantee(capability, caller),
            keyring=state.keyring,
            now=now,
            account=account.profile,
        )
        return operation.perform(ShareAgreement(share.share))
    except MeshError:
        return KeyAgreementResult(error=REFUSED)


def _grantee(capability: CapabilityDecryptServiced, caller: Caller) -> Grantee:
    if caller.profile_udf is None:
        return Grantee(key_id=caller.key_id, address=caller.account)
    by_account = Grantee(key_id=caller.profile_udf)
    return by_account if is_granted(capability, by_account) else Grantee(key_id=caller.key_id)
