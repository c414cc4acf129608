"""The steps that verifications are made of."""

from typing import Any

import pytest

from mathmesh.errors import VerificationError
from mathmesh.schema import CatalogedNetwork, Contact, ContactGroup, ContactPerson
from mathmesh.schema.signed import check_signed_or_clear, exactly, is_unsigned, object_in


def test_1_a_digest_is_wanted_unless_said_otherwise(sign: Any, unsigned: Any) -> None:
    envelope = sign(CatalogedNetwork(service="home"), None)
    assert object_in(envelope, CatalogedNetwork).service == "home"
    with pytest.raises(VerificationError, match="states no PayloadDigest"):
        object_in(unsigned(envelope), CatalogedNetwork)
    assert object_in(unsigned(envelope), CatalogedNetwork, require_digest=False).service == "home"


def test_1_a_wrong_digest_is_never_passed_over(sign: Any, altered: Any) -> None:
    envelope = altered(sign(CatalogedNetwork(service="home"), None))
    with pytest.raises(VerificationError):
        object_in(envelope, CatalogedNetwork, require_digest=False)


def test_exactly_wants_the_type_itself() -> None:
    person = ContactPerson()
    assert exactly(person, ContactPerson) is person
    for kind in (Contact, ContactGroup):
        with pytest.raises(VerificationError, match="stands in the place of"):
            exactly(person, kind)


def test_the_switch_admits_no_wrong_signature(world: Any, sign: Any, altered: Any) -> None:
    item, key = CatalogedNetwork(service="home"), world.key("Sign")
    clear, signed = sign(item, None), sign(item, key)
    assert is_unsigned(clear)
    assert not is_unsigned(signed)
    check_signed_or_clear(clear, key.public, "it", allow_unsigned=True)
    check_signed_or_clear(signed, key.public, "it", allow_unsigned=True)
    for envelope, allow in (
        (clear, False),
        (sign(item, world.key("AdminSign")), True),
        (altered(signed), True),
    ):
        with pytest.raises(VerificationError):
            check_signed_or_clear(envelope, key.public, "it", allow_unsigned=allow)
