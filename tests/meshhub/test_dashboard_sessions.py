"""Sign-in links and sessions."""

from datetime import UTC, datetime, timedelta

import pytest

from meshhub.dashboard.sessions import LINK_LIFETIME, SESSION_LIFETIME, SESSIONS_KEPT, Grant, SignIns

NOW = datetime(2026, 11, 24, 12, tzinfo=UTC)


def counting_entropy():
    state = 0

    def entropy(octets: int) -> bytes:
        nonlocal state
        state += 1
        return state.to_bytes(octets, "big")

    return entropy


@pytest.fixture
def sign_ins() -> SignIns:
    return SignIns(counting_entropy())


def live(sign_ins: SignIns, grant: Grant, now: datetime = NOW) -> bool:
    return sign_ins.is_live(grant.cookie, grant.key, now)


def test_a_link_signs_in_once(sign_ins):
    token = sign_ins.new_link_token(NOW)
    assert live(sign_ins, sign_ins.redeem(token, NOW))
    assert sign_ins.redeem(token, NOW) is None


def test_a_token_has_128_bits_and_each_half_of_a_session_256(sign_ins):
    token = sign_ins.new_link_token(NOW)
    assert len(token) == 26
    grant = sign_ins.redeem(token, NOW)
    assert len(grant.cookie) == len(grant.key) == 52
    assert grant.cookie != grant.key


@pytest.mark.parametrize(
    ("age", "works"), [(LINK_LIFETIME - timedelta(seconds=1), True), (LINK_LIFETIME, False)]
)
def test_a_link_ends_after_a_day(sign_ins, age, works):
    assert (sign_ins.redeem(sign_ins.new_link_token(NOW), NOW + age) is not None) is works


@pytest.mark.parametrize(
    ("age", "lives"), [(SESSION_LIFETIME - timedelta(seconds=1), True), (SESSION_LIFETIME, False)]
)
def test_a_session_ends_after_30_days(sign_ins, age, lives):
    grant = sign_ins.redeem(sign_ins.new_link_token(NOW), NOW)
    assert live(sign_ins, grant, NOW + age) is lives


def test_signing_out_ends_only_that_session(sign_ins):
    first, second = (sign_ins.redeem(sign_ins.new_link_token(NOW), NOW) for _ in range(2))
    sign_ins.end(first.cookie)
    assert not live(sign_ins, first)
    assert live(sign_ins, second)


@pytest.mark.parametrize("token", ["", "x", "a" * 26])
def test_an_unknown_token_is_refused(sign_ins, token):
    sign_ins.new_link_token(NOW)
    assert sign_ins.redeem(token, NOW) is None


def test_a_session_ends_with_the_run_of_the_hub(sign_ins):
    grant = sign_ins.redeem(sign_ins.new_link_token(NOW), NOW)
    assert not live(SignIns(counting_entropy()), grant)


def test_halves_of_two_sessions_are_none(sign_ins):
    first, second = (sign_ins.redeem(sign_ins.new_link_token(NOW), NOW) for _ in range(2))
    assert not sign_ins.is_live(first.cookie, second.key, NOW)
    assert not sign_ins.is_live(first.cookie, "", NOW)


def test_the_oldest_sessions_make_room(sign_ins):
    grants = [
        sign_ins.redeem(sign_ins.new_link_token(NOW), NOW + timedelta(seconds=n))
        for n in range(SESSIONS_KEPT + 1)
    ]
    assert not live(sign_ins, grants[0])
    assert all(live(sign_ins, grant) for grant in grants[1:])
