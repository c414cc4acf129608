"""Sign-in links and sessions."""

from datetime import UTC, datetime, timedelta

import pytest

from meshhub.dashboard.sessions import LINK_LIFETIME, SESSION_LIFETIME, SESSIONS_KEPT, Session, SignIns

NOW = datetime(2026, 11, 24, 12, tzinfo=UTC)


class Kept:
    """A store that remembers what was saved last."""

    def __init__(self) -> None:
        self.sessions: list[Session] = []

    def load(self) -> list[Session]:
        return self.sessions

    def save(self, sessions: list[Session]) -> None:
        self.sessions = list(sessions)


def counting_entropy():
    state = 0

    def entropy(octets: int) -> bytes:
        nonlocal state
        state += 1
        return state.to_bytes(octets, "big")

    return entropy


@pytest.fixture
def sign_ins() -> SignIns:
    return SignIns(counting_entropy(), NOW)


def test_a_link_signs_in_once(sign_ins):
    token = sign_ins.new_link_token(NOW)
    cookie = sign_ins.redeem(token, NOW)
    assert sign_ins.is_live(cookie, NOW)
    assert sign_ins.redeem(token, NOW) is None


def test_a_token_has_128_bits_and_a_cookie_256(sign_ins):
    token = sign_ins.new_link_token(NOW)
    assert len(token) == 26
    assert len(sign_ins.redeem(token, NOW)) == 52


@pytest.mark.parametrize(
    ("age", "works"), [(LINK_LIFETIME - timedelta(seconds=1), True), (LINK_LIFETIME, False)]
)
def test_a_link_ends_after_a_day(sign_ins, age, works):
    assert (sign_ins.redeem(sign_ins.new_link_token(NOW), NOW + age) is not None) is works


@pytest.mark.parametrize(
    ("age", "live"), [(SESSION_LIFETIME - timedelta(seconds=1), True), (SESSION_LIFETIME, False)]
)
def test_a_session_ends_after_30_days(sign_ins, age, live):
    cookie = sign_ins.redeem(sign_ins.new_link_token(NOW), NOW)
    assert sign_ins.is_live(cookie, NOW + age) is live


def test_signing_out_ends_only_that_session(sign_ins):
    first, second = (sign_ins.redeem(sign_ins.new_link_token(NOW), NOW) for _ in range(2))
    sign_ins.end(first)
    assert not sign_ins.is_live(first, NOW)
    assert sign_ins.is_live(second, NOW)


@pytest.mark.parametrize("token", ["", "x", "a" * 26])
def test_an_unknown_token_is_refused(sign_ins, token):
    sign_ins.new_link_token(NOW)
    assert sign_ins.redeem(token, NOW) is None


def test_sessions_outlive_the_process_and_the_store_holds_no_secret():
    kept = Kept()
    cookie = (first := SignIns(counting_entropy(), NOW, kept)).redeem(first.new_link_token(NOW), NOW)
    assert cookie not in repr(kept.sessions)
    assert SignIns(counting_entropy(), NOW, kept).is_live(cookie, NOW)
    assert not SignIns(counting_entropy(), NOW + SESSION_LIFETIME, kept).is_live(cookie, NOW)


def test_the_oldest_sessions_make_room(sign_ins):
    cookies = [
        sign_ins.redeem(sign_ins.new_link_token(NOW), NOW + timedelta(seconds=n))
        for n in range(SESSIONS_KEPT + 1)
    ]
    assert not sign_ins.is_live(cookies[0], NOW)
    assert all(sign_ins.is_live(cookie, NOW) for cookie in cookies[1:])
