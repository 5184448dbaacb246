"""What goes over from one session to the next, without I/O."""

from __future__ import annotations

import pytest

from ledgerx.errors import ConnectionError as ConnectionLost
from ledgerx.errors import InvalidField, LoginError
from ledgerx.streaming_api import eto, seto
from ledgerx.streaming_api.payloads import wrap
from ledgerx.streaming_api.reconnection import Backoff, Resumption

LOST = ConnectionLost("lost")
SETTINGS_ACCEPTED = wrap(seto.SettingsAccepted(cancel_all_on_failure=False))


def order(**more: int) -> seto.OrderCreate:
    return seto.OrderCreate(
        side=seto.SIDE_BUY, quantity=10_000, price=1, market_id=1, contract_id=1, **more  # type: ignore[arg-type]
    )  # fmt: skip


def accepted(reference: int, account_sequence: int) -> seto.Payload:
    message = seto.OrderAccepted(seq=1, order_id=1, reference=reference, account_sequence_64=account_sequence)
    return wrap(message)


class TestBackoff:
    def test_it_doubles_up_to_its_cap_and_begins_anew(self) -> None:
        backoff = Backoff(1.0, 5.0)
        assert [backoff.after(LOST, 0.0) for _ in range(5)] == [0.5, 1.0, 2.0, 2.5, 2.5]
        backoff.begin()
        assert backoff.after(LOST, 0.5) == 0.75

    def test_a_session_shorter_than_the_first_wait_is_a_failure_of_the_row(self) -> None:
        backoff = Backoff(1.0, 5.0, 3)
        backoff.after(LOST, 0.0)
        assert backoff.begin(LOST, 0.9) is LOST
        assert backoff.after(LOST, 0.0) == 1.0
        assert backoff.begin(LOST, 1.0) is None
        assert backoff.after(LOST, 0.0) == 0.5

    def test_it_raises_the_failure_that_was_the_last_of_a_row(self) -> None:
        backoff = Backoff(1.0, 5.0, 2)
        backoff.after(LOST, 0.0)
        with pytest.raises(ConnectionLost):
            backoff.after(LOST, 0.0)

    @pytest.mark.parametrize("reason", [eto.LOGOUT_UNAUTHORISED, eto.LOGOUT_UNVERIFIED])
    def test_a_refusal_that_stays_one_is_raised(self, reason: int) -> None:
        with pytest.raises(LoginError):
            Backoff(1.0, 5.0).after(LoginError(reason, "no"), 0.0)
        assert Backoff(1.0, 5.0).after(LoginError(eto.LOGOUT_UNKNOWN_SESSION, "later"), 0.0) == 0.5

    def test_a_first_wait_above_the_cap_is_refused(self) -> None:
        with pytest.raises(InvalidField, match="backoff_first_s"):
            Backoff(2.0, 1.0)


class TestResumption:
    def test_a_message_of_the_account_is_told_once(self) -> None:
        kept = Resumption(1, 5)
        assert [kept.take(accepted(1, sequence)) for sequence in (5, 6, 6, 7)] == [False, True, False, True]
        assert kept.take(SETTINGS_ACCEPTED)

    def test_an_order_without_a_reference_gets_one_that_no_unanswered_order_has(self) -> None:
        kept = Resumption(5, None)
        assert kept.order(order(reference=6), 1).reference == 6
        assert [kept.order(order(), 1).reference for _ in range(2)] == [5, 7]
        with pytest.raises(InvalidField, match="reference 7"):
            kept.order(order(reference=7), 1)
        kept.forget(7)
        assert kept.order(order(reference=7), 1).reference == 7

    def test_in_doubt_are_the_unanswered_orders_of_sessions_before(self) -> None:
        kept = Resumption(1, None)
        for session in (1, 1, 2):
            kept.order(order(), session)
        kept.after_login(2, None, first=False)
        assert kept.take(accepted(1, 9))
        assert kept.settled(accepted(1, 9), 2) is None
        assert [one.reference for one in kept.settled(SETTINGS_ACCEPTED, 2) or []] == [2]
        assert kept.settled(SETTINGS_ACCEPTED, 2) is None
        assert [one.reference for one in kept.unanswered] == [2, 3]

    def test_a_login_subscribes_and_then_says_the_settings(self) -> None:
        kept = Resumption(1, None)
        assert kept.after_login(1, None, first=True) == []
        for market in (1, 2, 3):
            kept.subscribe(market)
        kept.unsubscribe(2)
        markets = [seto.MarketSubscribe(market_id=1), seto.MarketSubscribe(market_id=3)]
        assert kept.after_login(1, None, first=True) == markets
        assert kept.after_login(2, None, first=False) == [
            *markets,
            seto.Settings(cancel_all_on_failure=False),
        ]
        mine = seto.Settings(cancel_all_on_failure=True)
        kept.keep_settings(mine)
        mine.cancel_all_on_failure = False
        assert kept.after_login(1, None, first=True) == [*markets, seto.Settings(cancel_all_on_failure=True)]

    def test_a_first_login_that_failed_after_orders_left_names_them(self) -> None:
        kept = Resumption(1, None)
        kept.order(order(), 1)
        assert kept.after_login(2, None, first=True) == [seto.Settings(cancel_all_on_failure=False)]
        assert [one.reference for one in kept.settled(SETTINGS_ACCEPTED, 2) or []] == [1]
