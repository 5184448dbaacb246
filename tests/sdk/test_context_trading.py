"""Every command against a venue: what handlers and callbacks are called with, in order."""

from __future__ import annotations

from typing import Any

import pytest
from trading_floor import CONTRACTS, DEADLINE_S, Floor, Trader, finished

from ledgerx.api.client import v0_0_1 as api
from ledgerx.sdk.items import RequestItem
from ledgerx.sdk.states import State

Order = api.MessageLimitOrder
Report = api.MessageActionReport
Status = api.MessageStatus

ANOTHER_CONTRACT = 1  # no test of its own trades there
STATUS = "status_message"
REPORT = "action_report"


def previous(trader: Trader, item: RequestItem) -> list[str]:
    """What came before each call about an item: a request by its kind, a report by its status."""
    names = []
    for call in trader.heard.of(item):
        kind = type(call.previous).__name__.removeprefix("Message")
        names.append(f"{kind} {call.previous.status_type}" if isinstance(call.previous, Report) else kind)
    return names


class TestOrders:
    def test_an_order_that_rests(self, floor: Floor) -> None:
        trader = floor.trader()
        item = trader.opened(trader.cmd.limit_order(floor.contract, 2, 100))
        assert trader.calls(item) == [f"{STATUS} 300", f"{STATUS} 200", f"{REPORT} 200"]
        assert [call.previous for call in trader.heard.of(item)] == [item.msg] * 3
        (report,) = trader.heard.reports[item.mid]
        assert (report.size, report.original_size, report.inserted_size) == (2, 2, 2)
        assert (report.contract_id, report.price_in_cents, report.is_ask) == (floor.contract, 100, False)
        assert report.request_mid == item.mid

    def test_an_order_that_trades_in_part_and_then_wholly(self, floor: Floor) -> None:
        alice, bob = floor.trader(), floor.trader()
        ask = alice.opened(alice.cmd.limit_order(floor.contract, 5, 200, is_ask=True))
        bid = finished(bob.cmd.limit_order(floor.contract, 2, 205))
        assert bob.calls(bid) == [f"{STATUS} 300", f"{STATUS} 200", f"{REPORT} 201"]
        assert previous(bob, bid) == ["LimitOrder"] * 3
        (fill,) = bob.heard.reports[bid.mid]
        assert (fill.filled_size, fill.filled_price_in_cents, fill.size) == (2, 200, 0)
        assert fill.is_aggressor
        alice.heard.wait_reports(ask, 2)
        assert ask.state is State.OPEN
        finished(bob.cmd.limit_order(floor.contract, 3, 200))
        alice.heard.wait_reports(ask, 3)
        finished(ask)
        assert [report.size for report in alice.heard.reports[ask.mid]] == [5, 3, 0]
        assert previous(alice, ask)[2:] == ["LimitOrder", "ActionReport 200", "ActionReport 201"]
        assert [report.request_mid for report in alice.heard.reports[ask.mid]] == [ask.mid, "", ""]
        assert not alice.heard.reports[ask.mid][-1].is_aggressor

    def test_what_an_order_does_not_fill_rests(self, floor: Floor) -> None:
        alice, bob = floor.trader(), floor.trader()
        alice.opened(alice.cmd.limit_order(floor.contract, 1, 200, is_ask=True))
        bid = bob.cmd.limit_order(floor.contract, 3, 200)
        bob.heard.wait_reports(bid, 2)
        assert bob.calls(bid) == [f"{STATUS} 300", f"{STATUS} 200", f"{REPORT} 201", f"{REPORT} 200"]
        assert previous(bob, bid)[2:] == ["LimitOrder", "ActionReport 201"]
        assert bid.state is State.OPEN

    @pytest.mark.parametrize(
        ("fields", "calls", "state"),
        [
            ({"time_in_force": Order.IOC}, [f"{STATUS} 200", f"{REPORT} 202"], State.DONE),
            ({"time_in_force": Order.FOK}, [f"{STATUS} 607"], State.FAILED),
            ({"post_only": True, "price_in_cents": 200}, [f"{STATUS} 601"], State.FAILED),
        ],
        ids=["IOC", "FOK", "post only"],
    )
    def test_how_an_order_that_may_not_rest_ends(
        self, floor: Floor, fields: dict[str, Any], calls: list[str], state: State
    ) -> None:
        alice, bob = floor.trader(), floor.trader()
        alice.opened(alice.cmd.limit_order(floor.contract, 1, 200, is_ask=True))
        item = bob.cmd.limit_order(floor.contract, 2, **{"price_in_cents": 100, **fields})
        assert item.wait(state, DEADLINE_S)
        assert bob.calls(item) == [f"{STATUS} 300", *calls]

    def test_a_market_order_takes_what_there_is(self, floor: Floor) -> None:
        alice, bob = floor.trader(), floor.trader()
        alice.opened(alice.cmd.limit_order(floor.contract, 1, 200, is_ask=True))
        item = finished(bob.cmd.market_order(floor.contract, 3))
        assert bob.calls(item) == [f"{STATUS} 300", f"{STATUS} 200", f"{REPORT} 201", f"{REPORT} 202"]
        assert previous(bob, item)[2:] == ["MarketOrder", "ActionReport 201"]

    def test_a_quote_is_two_orders_of_one_mid(self, floor: Floor) -> None:
        trader = floor.trader()
        first = trader.cmd.quote(floor.contract, 100, 1, 200, 2)
        trader.heard.wait_reports(first, 2)
        assert trader.calls(first) == [f"{STATUS} 300", f"{REPORT} 200", f"{REPORT} 200"]
        assert previous(trader, first)[1:] == ["Quote", "ActionReport 200"]
        assert [(r.is_ask, r.size) for r in trader.heard.reports[first.mid]] == [(False, 1), (True, 2)]
        second = trader.cmd.quote(floor.contract, 105, 3, 0, 0)
        trader.heard.wait_reports(second, 1)
        finished(first)
        assert [r.status_type for r in trader.heard.reports[first.mid][2:]] == [Report.STATUS_CANCELED] * 2
        assert [r.request_mid for r in trader.heard.reports[first.mid][2:]] == [second.mid] * 2
        assert second.state is State.OPEN
        finished(trader.cmd.quote(floor.contract, 0, 0, 0, 0))
        finished(second)


class TestChangingOrders:
    def test_a_cancel_ends_the_order_first_and_then_itself(self, floor: Floor) -> None:
        trader = floor.trader()
        order = trader.opened(trader.cmd.limit_order(floor.contract, 2, 100))
        cancel = finished(trader.cmd.cancel_order(floor.contract, order.mid))
        assert order.state is State.DONE
        names = [(str(call), call.msg.mid) for call in trader.heard.calls[-3:]]
        assert names == [
            (f"{STATUS} 300", cancel.mid),
            (f"{REPORT} 203", order.mid),
            (f"{STATUS} 203", cancel.mid),
        ]
        assert previous(trader, order)[-1] == "ActionReport 200"
        assert previous(trader, cancel) == ["CancelOrder", "CancelOrder"]
        report = trader.heard.reports[order.mid][-1]
        assert (report.size, report.canceled_size, report.request_mid) == (0, 2, cancel.mid)

    def test_a_cancel_of_what_is_gone_fails(self, floor: Floor) -> None:
        trader = floor.trader()
        order = trader.opened(trader.cmd.limit_order(floor.contract, 2, 100))
        finished(trader.cmd.cancel_order(floor.contract, order.mid))
        again = trader.cmd.cancel_order(floor.contract, order.mid)
        assert again.wait(State.FAILED, DEADLINE_S)
        assert trader.calls(again) == [f"{STATUS} 300", f"{STATUS} 600"]

    def test_a_cancel_replace_keeps_the_orders_mid(self, floor: Floor) -> None:
        trader = floor.trader()
        order = trader.opened(trader.cmd.limit_order(floor.contract, 2, 100))
        replace = finished(trader.cmd.cancel_replace(floor.contract, order.mid, 5, 105))
        assert trader.calls(replace) == [f"{STATUS} 300", f"{STATUS} 204"]
        before, after = trader.heard.reports[order.mid]
        assert (after.size, after.original_size, after.price_in_cents) == (5, 5, 105)
        assert after.order_id == before.order_id
        assert previous(trader, order)[-1] == "ActionReport 200"
        assert order.state is State.OPEN

    def test_a_cancel_replace_to_what_is_filled_cancels(self, floor: Floor) -> None:
        alice, bob = floor.trader(), floor.trader()
        ask = alice.opened(alice.cmd.limit_order(floor.contract, 5, 200, is_ask=True))
        finished(bob.cmd.limit_order(floor.contract, 2, 200))
        finished(alice.cmd.cancel_replace(floor.contract, ask.mid, 2, 200))
        finished(ask)
        assert [report.size for report in alice.heard.reports[ask.mid]] == [5, 3, 0]

    def test_cancel_all_in_one_contract_and_in_every_one(self, floor: Floor) -> None:
        trader = floor.trader()
        other = ANOTHER_CONTRACT
        orders = [trader.opened(trader.cmd.limit_order(c, 1, 5)) for c in (floor.contract, other)]
        cancel = finished(trader.cmd.cancel_all(floor.contract))
        assert [order.state for order in orders] == [State.DONE, State.OPEN]
        assert trader.calls(cancel) == [f"{STATUS} 300", f"{STATUS} 203"]
        assert previous(trader, cancel) == ["CancelAll", "CancelAll"]
        finished(trader.cmd.cancel_all())
        assert orders[1].state is State.DONE


class TestQuestions:
    def test_one_contract_and_all(self, floor: Floor) -> None:
        trader = floor.trader()
        one = finished(trader.cmd.get_contract(floor.contract))
        assert trader.calls(one) == [f"{STATUS} 300", "contract_detail"]
        assert previous(trader, one) == ["GetContract", "GetContract"]
        assert one.answers[-1].contract_id == floor.contract
        every = finished(trader.cmd.get_contract(all_contracts=True))
        details = every.answers[1:]
        assert [detail.remaining for detail in details] == list(reversed(range(len(details))))
        assert sorted(trader.heard.contracts) == list(range(1, CONTRACTS + 1))

    def test_the_state_of_a_book(self, floor: Floor) -> None:
        alice, bob = floor.trader(), floor.trader()
        mine = alice.opened(alice.cmd.limit_order(floor.contract, 1, 100))
        theirs = bob.opened(bob.cmd.limit_order(floor.contract, 2, 105))
        item = finished(alice.cmd.get_book_state(floor.contract))
        assert alice.calls(item) == [f"{STATUS} 300", "book_state_snapshot"]
        assert previous(alice, item) == ["GetBookState", "GetBookState"]
        orders = [(order.price_in_cents, order.size, order.mid) for order in item.answers[-1].orders]
        assert orders == [(105, 2, ""), (100, 1, mine.mid)]
        assert theirs.state is State.OPEN

    def test_open_orders(self, floor: Floor) -> None:
        trader = floor.trader()
        orders = [trader.opened(trader.cmd.limit_order(floor.contract, size, 100)) for size in (1, 2)]
        item = finished(trader.cmd.get_open_orders())
        assert trader.calls(item) == [f"{STATUS} 300", f"{REPORT} 200", f"{REPORT} 200", f"{STATUS} 210"]
        asked, report = "GetOpenOrders", "ActionReport 200"
        assert previous(trader, item) == [asked, asked, report, asked]
        reports = item.answers[1:3]
        assert [(report.request_mid, report.size) for report in reports] == [
            (orders[0].mid, 1),
            (orders[1].mid, 2),
        ]
        none = finished(trader.cmd.get_open_orders(ANOTHER_CONTRACT))
        assert trader.calls(none) == [f"{STATUS} 300", f"{STATUS} 210"]
        # The question's reports are no news of the orders.
        finished(trader.cmd.cancel_order(floor.contract, orders[0].mid))
        assert previous(trader, orders[0])[-1] == "ActionReport 200"

    def test_positions(self, floor: Floor) -> None:
        alice, bob = floor.trader(), floor.trader()
        alice.opened(alice.cmd.limit_order(floor.contract, 5, 200, is_ask=True))
        finished(bob.cmd.limit_order(floor.contract, 2, 200))
        for trader, size, cash in ((alice, -2, 400), (bob, 2, -400)):
            item = finished(trader.cmd.get_positions())
            assert trader.calls(item) == [f"{STATUS} 300", "position", f"{STATUS} 210"]
            assert previous(trader, item) == ["GetPositions"] * 3
            position = item.answers[1]
            assert (position.contract_id, position.size, position.cash_in_cents) == (
                floor.contract,
                size,
                cash,
            )


class TestBatches:
    def test_members_are_acknowledged_by_the_batch_message_alone(self, floor: Floor) -> None:
        trader = floor.trader()
        batch, items = trader.cmd.batch([floor.order(), floor.order(size=-1), floor.order(size=3)])
        for item in (batch, *items):
            item.callback = trader.heard.callback
        finished(batch)
        trader.opened(items[2])
        assert items[1].wait(State.FAILED, DEADLINE_S)
        assert trader.calls(batch)[0] == f"{STATUS} 300"
        (call,) = trader.heard.named("batch_message")
        assert call.previous == batch.msg
        acks = [(ack.mid, ack.status, ack.account_sequence) for ack in call.msg.messages]
        assert acks == [(item.mid, 300, 0) for item in items]
        handlers = [(str(call), call.msg.mid) for call in trader.heard.named(STATUS, REPORT, "batch_message")]
        assert handlers == [
            (f"{STATUS} 300", batch.mid),
            ("batch_message", batch.mid),
            (f"{STATUS} 200", items[0].mid),
            (f"{REPORT} 200", items[0].mid),
            (f"{STATUS} 400", items[1].mid),
            (f"{STATUS} 200", items[2].mid),
            (f"{REPORT} 200", items[2].mid),
        ]
        finished(trader.cmd.get_positions())  # behind every callback
        told = [(str(call), call.msg.mid) for call in trader.heard.named("callback")]
        assert [text for text, mid in told if mid == items[0].mid] == ["callback 200", "callback 200"]
        assert [text for text, mid in told if mid == items[1].mid] == ["callback 400"]
        assert [text for text, mid in told if mid == batch.mid] == ["callback 300", "callback"]

    def test_members_run_in_the_order_given_and_may_be_of_any_kind(self, floor: Floor) -> None:
        trader = floor.trader()
        order = floor.order(mid="0123456789abcdef" * 2)
        cancel = api.MessageCancelOrder(contract_id=floor.contract, entry_id=order.mid)
        asked = [api.MessageGetPositions(), api.MessageGetContract(contract_id=floor.contract)]
        quote = api.MessageQuote(
            contract_id=floor.contract, bid_price_in_cents=5, bid_size=1, ask_price_in_cents=0, ask_size=0
        )
        batch, items = trader.cmd.batch([order, cancel, *asked, quote, api.MessageCancelAll()])
        for item in (batch, *items):
            finished(item)
        assert trader.calls(items[0]) == [f"{STATUS} 200", f"{REPORT} 200", f"{REPORT} 203"]
        assert trader.calls(items[1]) == [f"{STATUS} 203"]
        assert trader.calls(items[3]) == ["contract_detail"]
        assert trader.heard.lost() == 0


class TestTwoContextsOfOneAccount:
    def test_both_hear_everything_and_only_the_sender_knows_the_request(self, floor: Floor) -> None:
        keys = floor.keys()
        here, there = floor.trader(keys), floor.trader(keys)
        order = here.opened(here.cmd.limit_order(floor.contract, 2, 100))
        batch, items = here.cmd.batch([floor.order()])
        here.opened(items[0])
        finished(there.cmd.cancel_order(floor.contract, order.mid))
        finished(order)
        finished(batch)
        there.heard.wait_calls(1, "batch_message")
        names = (STATUS, REPORT, "batch_message")
        there.heard.wait_for(lambda: there.heard.sequences == here.heard.sequences, "same line", DEADLINE_S)
        heard = [[(str(c), c.msg) for c in trader.heard.named(*names)] for trader in (here, there)]
        assert heard[0] == heard[1]
        assert here.heard.lost() == there.heard.lost() == 0
        assert [call for call in there.heard.of(order) + there.heard.of(batch) if call.previous] == []
        assert [call.previous for call in here.heard.of(order)][:2] == [order.msg] * 2

    def test_answers_to_questions_go_to_the_asker_alone(self, floor: Floor) -> None:
        keys = floor.keys()
        here, there = floor.trader(keys), floor.trader(keys)
        finished(here.cmd.get_contract(floor.contract))
        finished(there.cmd.get_positions())
        assert there.heard.contracts == {}


class TestReplay:
    def test_a_context_that_connected_late_is_told_all_it_missed_once(self, floor: Floor) -> None:
        keys = floor.keys()
        early = floor.trader(keys)
        order = early.opened(early.cmd.limit_order(floor.contract, 2, 100))
        finished(early.cmd.cancel_order(floor.contract, order.mid))
        late = floor.trader(keys)
        assert late.heard.named(STATUS, REPORT) == []
        item = late.cmd.replay(from_sequence=1)
        item.callback = late.heard.callback
        finished(item)
        late.heard.wait_calls(6, "callback")  # it was set late, perhaps after the last answer
        line = [call.msg for call in early.heard.named(STATUS, REPORT)]
        assert [call.msg for call in late.heard.named(STATUS, REPORT) if call.msg.mid != item.mid] == line
        stored = [answer for answer in item.answers if answer.account_sequence]
        assert stored == line
        told = late.heard.of(order)
        assert [call.previous for call in told if call.name != "callback"] == [None] * 4
        assert [call.previous for call in told if call.name == "callback"] == [item.msg] * 4
        assert sorted(late.calls(item)) == ["callback 210", "callback 300", f"{STATUS} 210", f"{STATUS} 300"]
        again = finished(late.cmd.replay(from_sequence=1))
        assert [answer for answer in again.answers if answer.account_sequence] == line
        assert len(late.heard.of(order)) == 2 * len(early.heard.of(order))  # handlers and callback, once

    def test_it_can_be_asked_for_in_part_and_page_by_page(self, floor: Floor) -> None:
        trader = floor.trader()
        for _ in range(3):
            trader.opened(trader.cmd.limit_order(floor.contract, 1, 100))
        item = finished(trader.cmd.replay(from_sequence=2, to_sequence=5))
        assert [answer.account_sequence for answer in item.answers] == [0, 2, 3, 4, 5, 0]
        assert item.answers[-1].next == 0
        assert len(trader.heard.sequences) == 9  # nothing was dispatched to handlers twice

    def test_while_orders_go_on(self, floor: Floor) -> None:
        trader = floor.trader()
        orders = [trader.cmd.limit_order(floor.contract, 1, 100, wait=False) for _ in range(100)]
        replays = [trader.cmd.replay(from_sequence=1, wait=False) for _ in range(3)]
        orders += [trader.cmd.limit_order(floor.contract, 1, 100, wait=False) for _ in range(100)]
        for item in orders:
            assert item.wait(State.OPEN, DEADLINE_S)
        for item in replays:
            finished(item)
            numbers = [answer.account_sequence for answer in item.answers if answer.account_sequence]
            assert numbers == list(range(1, len(numbers) + 1))
        trader.heard.wait_reports(orders[-1], 1)
        assert trader.heard.sequences == list(range(1, 601))
