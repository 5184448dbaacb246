"""The flow against a real venue in this process."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from flow_small_day import write_small_day

from ledgerx.api.client import v0_0_1 as api
from ledgerx.clob.lobster import LobsterFile, MessageType, Row
from ledgerx.errors import HandshakeFailed, InvalidData, InvalidField, InvalidState, OutcomeUnknown
from ledgerx.exchange import Exchange
from ledgerx.protocol.crypto import KeyPair
from ledgerx.sdk.states import State
from ledgerx.testing.flow.desk import Desk
from ledgerx.testing.flow.runner import SIZE_MAX_WANTED, admits, run_flow
from ledgerx.testing.flow.tally import FlowResult, Tally
from ledgerx.testing.flow.venues import registered, trade_day

FUTURE = 1  # the built-in contract that carries a recorded day


@pytest.fixture
def exchange() -> Iterator[Exchange]:
    with Exchange(http=False) as exchange:
        yield exchange


@pytest.fixture
def small_day(tmp_path: Path) -> LobsterFile:
    return LobsterFile(write_small_day(tmp_path))


def host_of(exchange: Exchange) -> str:
    return f"127.0.0.1:{exchange.request_port}"


def traded(exchange: Exchange, day: LobsterFile, traders: int = 3, **options: Any) -> FlowResult:
    with registered(exchange.data_dir, traders + 1) as keys:
        return run_flow(day, host_of(exchange), exchange.public_key, keys, **options)


def asked(exchange: Exchange) -> tuple[Desk, KeyPair]:
    """Another trader of that venue, connected. The caller stops it."""
    keys = KeyPair.generate()
    exchange.add_account("another", keys.public)
    desk = Desk(host_of(exchange), exchange.public_key, keys, Tally())
    desk.start()
    desk.wait_connected()
    return desk, keys


def test_a_day_is_traded_as_recorded_and_leaves_nothing_behind(
    exchange: Exchange, small_day: LobsterFile
) -> None:
    rows: list[int] = []
    result = traded(exchange, small_day, progress=rows.append)
    assert result.as_recorded, result
    assert (result.rows, result.orders, result.house_orders) == (9, 2, 3)
    assert (result.reductions, result.cancels, result.requeued) == (1, 1, 1)
    assert (result.executions, result.executions_same, result.fills) == (3, 3, 3)
    assert (result.shown, result.shown_hit, result.hidden_executions) == (2, 2, 1)
    assert rows == list(range(1, 10))
    desk, _ = asked(exchange)
    assert desk.book_orders(FUTURE) == 0
    desk.stop()
    desk.join()


def test_the_accounts_are_removed_in_the_end(exchange: Exchange, small_day: LobsterFile) -> None:
    traded(exchange, small_day)
    assert [row.active for row in exchange.accounts()] == [False] * 4


def test_a_recorded_opening_is_traded_as_recorded(exchange: Exchange, shared_data: Path) -> None:
    day = LobsterFile(shared_data / "lobster" / "AMZN_2012-06-21_5.zip")
    result = traded(exchange, day, 4, limit=500)
    assert result.as_recorded, result
    assert (result.rows, result.executions, result.shown) == (500, 88, 73)
    assert result.shown_hit == result.shown
    assert result.waves < 100


@pytest.mark.full
@pytest.mark.no_cover
def test_the_first_10000_rows_are_traded_as_recorded(exchange: Exchange, shared_data: Path) -> None:
    day = LobsterFile(shared_data / "lobster" / "AMZN_2012-06-21_5.zip")
    result = traded(exchange, day, 4, limit=10_000)
    assert result.as_recorded, result
    assert (result.executions, result.shown, result.shown_hit) == (489, 418, 414)


def test_two_flows_may_follow_each_other_on_one_venue(exchange: Exchange, small_day: LobsterFile) -> None:
    first, second = traded(exchange, small_day), traded(exchange, small_day, limit=4)
    assert first.as_recorded
    assert (second.rows, second.executions_same) == (4, 1)


def test_trade_day_starts_a_venue_of_its_own_or_uses_a_folders(
    exchange: Exchange, small_day: LobsterFile, tmp_path: Path
) -> None:
    assert trade_day(small_day, 2).as_recorded
    assert trade_day(small_day, 2, data_dir=exchange.data_dir).as_recorded
    assert trade_day(small_day, 2, data_dir=exchange.data_dir, host=host_of(exchange)).as_recorded
    with pytest.raises(InvalidState, match="no venue runs"):
        trade_day(small_day, data_dir=tmp_path / "nothing")


# ------------------------------------------------------------------------------- what stops it


def test_a_day_without_rows_counts_nothing(tmp_path: Path) -> None:
    for kind in ("message", "orderbook"):
        (tmp_path / f"X_{kind}_1.csv").write_text("")
    keys = [KeyPair.generate()] * 3
    assert run_flow(LobsterFile(tmp_path / "X_message_1.csv"), "127.0.0.1", b"", keys).rows == 0


def test_a_house_and_two_traders_are_the_least(small_day: LobsterFile) -> None:
    with pytest.raises(InvalidField, match="two traders"):
        run_flow(small_day, "127.0.0.1", b"", [KeyPair.generate()] * 2)


def test_a_bad_row_ends_the_day_and_cancels_what_stands(exchange: Exchange, tmp_path: Path) -> None:
    path = write_small_day(tmp_path)
    path.write_text(path.read_text().replace("3,13,4,", "3,13,99,"))
    with pytest.raises(InvalidData, match="row 9"):
        traded(exchange, LobsterFile(path))
    desk, _ = asked(exchange)
    assert desk.book_orders(FUTURE) == 0
    desk.stop()
    desk.join()


def test_a_book_that_is_not_empty_is_not_traded_in(exchange: Exchange, small_day: LobsterFile) -> None:
    desk, _ = asked(exchange)
    desk.commands.limit_order(contract_id=FUTURE, size=1, price_in_cents=100).wait(State.OPEN, 10)
    with pytest.raises(InvalidState, match="needs an empty book"):
        traded(exchange, small_day)
    desk.stop()
    desk.join()


def test_a_venue_without_a_fitting_contract_is_refused(tmp_path: Path, small_day: LobsterFile) -> None:
    contracts = tmp_path / "contracts.toml"
    contracts.write_text(
        '[defaults]\nunderlying = "BTC"\ntick_in_cents = 100\nmin_price_in_cents = 100\n'
        "max_price_in_cents = 1_000_000\nmin_size = 1\nmax_size = 1_000\nmultiplier = 1\n"
        '[[contract]]\ncontract_id = 1\nkind = "future"\nexpiry = "never"\n'
    )
    with (
        Exchange(http=False, contracts=contracts) as exchange,
        pytest.raises(InvalidState, match="no contract"),
    ):
        traded(exchange, small_day)


def test_accounts_that_the_venue_does_not_know_are_refused(
    exchange: Exchange, small_day: LobsterFile
) -> None:
    keys = [KeyPair.generate() for _ in range(3)]
    with pytest.raises(HandshakeFailed):
        run_flow(small_day, host_of(exchange), exchange.public_key, keys)


def test_a_restart_of_the_venue_ends_the_day(exchange: Exchange, small_day: LobsterFile) -> None:
    def restart(rows: int) -> None:
        if rows == 4:
            exchange.restart()

    with pytest.raises(InvalidState, match="restarted"):
        traded(exchange, small_day, progress=restart)


class NeverAnswered:
    """An item whose venue is silent."""

    def wait(self, state: State, timeout: float) -> bool:
        return False


def test_a_silent_venue_leaves_the_outcome_unknown(exchange: Exchange) -> None:
    desk, _ = asked(exchange)
    with pytest.raises(OutcomeUnknown):
        desk.acknowledged(NeverAnswered())
    exchange.stop()
    with pytest.raises(OutcomeUnknown):
        desk.cancel_all(FUTURE, timeout_s=0.05)
    desk.stop()
    desk.join()


# ------------------------------------------------------------------------------- the contract

OPENING = Row(1, 0, MessageType.NEW, 1, 1, 1_000_000, False, ((1_000_500, 8),), ((1_000_000, 10),), 5)


def detail(**changed: Any) -> api.MessageContractDetail:
    fields: dict[str, Any] = {
        "tick_in_cents": 1,
        "min_size": 1,
        "max_size": SIZE_MAX_WANTED,
        "min_price_in_cents": 5_000,
        "max_price_in_cents": 20_010,
    }
    return api.MessageContractDetail(**(fields | changed))


@pytest.mark.parametrize(
    ("changed", "fits"),
    [
        ({}, True),
        ({"is_call": True}, False),
        ({"is_call": False}, False),
        ({"state": api.MessageContractDetail.HALTED}, False),
        ({"tick_in_cents": 5}, False),
        ({"min_size": 2}, False),
        ({"max_size": SIZE_MAX_WANTED - 1}, False),
        ({"min_price_in_cents": 5_001}, False),
        ({"max_price_in_cents": 20_009}, False),
    ],
)
def test_a_contract_must_admit_what_a_day_can_bring(changed: dict[str, Any], fits: bool) -> None:
    assert admits(detail(**changed), OPENING) is fits
