"""What the tracker does with requests and their answers: the manual's scenarios S1, S2 and S3."""

from __future__ import annotations

from typing import Any

import pytest
from tracker_bench import VENUE_TIME_NS, Bench, handlers

from ledgerx.api.client import v0_0_1 as api
from ledgerx.errors import InvalidField, InvalidMessage, QueueFull
from ledgerx.protocol import wire
from ledgerx.sdk.items import ANSWERS_KEPT_MAX, RequestItem
from ledgerx.sdk.outstanding import ResendSettings
from ledgerx.sdk.states import State
from ledgerx.sdk.tracker import TrackerSettings


def test_a_request_is_sent_at_once_and_stays_sent_until_acknowledged() -> None:
    bench = Bench()
    item = bench.order()
    (sent,) = bench.take()
    assert sent.mid == item.mid
    assert item.state is State.SENT
    assert item.outcome_unknown


def test_an_order_is_acknowledged_then_open_then_done_and_forgotten() -> None:
    bench = Bench()
    item = bench.order()
    bench.say(bench.ack(item))
    assert item.state is State.ACKNOWLEDGED  # on arrival, before dispatch
    bench.say(bench.status(item.mid, 200, 1), bench.report(item, 2))
    bench.dispatch()
    assert item.state is State.OPEN
    assert item.mid in bench.store
    bench.say(bench.report(item, 1), bench.report(item, 0))
    bench.dispatch()
    assert item.state is State.DONE
    assert item.mid not in bench.store


def test_a_refusal_fails_the_request() -> None:
    bench = Bench()
    item = bench.order()
    bench.say(bench.ack(item), bench.status(item.mid, 604, field="price_in_cents"))
    bench.dispatch()
    assert item.state is State.FAILED
    assert len(bench.store) == 0


def test_prev_msg_is_the_request_for_statuses_and_the_report_before_for_reports() -> None:
    bench = Bench()
    item = bench.order()
    messages = [
        bench.ack(item),
        bench.status(item.mid, 200, 1),
        bench.report(item, 2),
        bench.report(item, 1),
        bench.report(item, 0),
    ]
    bench.say(*messages)
    previous = [event.arguments[1] for event in bench.dispatch() if event.item]
    assert previous == [item.msg, item.msg, item.msg, messages[2], messages[3]]


def test_prev_msg_is_none_for_a_mid_this_context_did_not_send() -> None:
    bench = Bench()
    bench.say(bench.status("f" * 32, 300, 1))
    event = bench.dispatch()[-1]
    assert event.handler == "handle_status_message"
    assert event.arguments[1] is None


def test_s1_the_same_bytes_are_resent_with_growing_pauses_until_the_ack() -> None:
    bench = Bench()
    item = bench.order()
    bench.take()
    first = item.encoded
    pauses = []
    started = bench.now
    while len(pauses) < 4:
        bench.advance(0.05)
        bench.say(api.MessageHeartbeat(interval_ms=1000, head=bench.sequence))
        again = [message for message in bench.take() if message.mid == item.mid]
        if again:
            assert wire.encode_message(again[0]) == first
            pauses.append(bench.now - started)
            started = bench.now
    assert pauses == pytest.approx([0.1, 0.2, 0.4, 0.8], abs=0.06)  # looked at every 0.05 s
    bench.say(bench.ack(item))
    bench.advance(10)
    assert item.mid not in [message.mid for message in bench.take()]


def test_while_acks_come_the_later_requests_are_not_resent() -> None:
    bench = Bench()
    items = [bench.order() for _ in range(20)]
    bench.take()
    for item in items:
        bench.advance(0.09)
        bench.say(bench.ack(item))
    assert [message for message in bench.take() if isinstance(message, api.MessageLimitOrder)] == []


def test_after_a_loss_everything_unacknowledged_is_resent_in_first_sent_order_before_anything_new() -> None:
    bench = Bench()
    items = [bench.order() for _ in range(3)]
    bench.take()
    bench.say(bench.ack(items[1]))
    bench.lose()
    new = bench.order()
    bench.connect()
    mids = [message.mid for message in bench.take()]
    assert mids == [items[0].mid, items[2].mid, new.mid]


def test_a_request_made_before_the_greeting_is_stamped_with_the_venues_time() -> None:
    bench = Bench(connect=False)
    item = bench.order()
    bench.connect()
    (sent,) = bench.take()
    assert sent.mid == item.mid
    assert abs(sent.timestamp - VENUE_TIME_NS) < 10**9
    assert sent.expires == sent.timestamp + 60 * 10**9


def test_timestamps_strictly_increase_within_one_instant() -> None:
    bench = Bench()
    for _ in range(5):
        bench.order()
    stamps = [message.timestamp for message in bench.take()]
    assert stamps == sorted(set(stamps))


EXPIRING = (api.MessageLimitOrder, api.MessageMarketOrder, api.MessageQuote, api.MessageCancelReplace)
LASTING = (api.MessageCancelOrder, api.MessageCancelAll, api.MessageGetContract, api.MessageGetPositions)


@pytest.mark.parametrize("batched", [False, True])
def test_what_trades_expires_and_cancels_and_reads_do_not(batched: bool) -> None:
    bench = Bench()
    requests = [kind() for kind in (*EXPIRING, *LASTING)]
    if batched:
        bench.tracker.submit_batch(requests, bench.now)
        (batch,) = bench.take()
        assert batch.expires == 0
        sent = [wire.unwrap(member) for member in batch.requests]
    else:
        for request in requests:
            bench.submit(request)
        sent = bench.take()
    ages = [request.expires - request.timestamp if request.expires else None for request in sent]
    assert ages == [60 * 10**9] * 4 + [None] * 4


def test_a_batchs_own_expiry_is_its_members() -> None:
    bench = Bench()
    bench.tracker.submit_batch([api.MessageLimitOrder()], bench.now, expires=7)
    (batch,) = bench.take()
    assert (batch.expires, batch.requests[0].limit_order.expires) == (7, 0)


def test_a_read_lost_with_its_connection_is_asked_again_and_its_ack_dispatched_once() -> None:
    bench = Bench()
    item = bench.submit(api.MessageGetContract(all_contracts=True))
    bench.take()
    bench.say(bench.ack(item, 2, numbered=False))
    assert handlers(bench.dispatch())[-1:] == ["handle_status_message"]
    bench.lose()
    bench.connect()
    assert [message.mid for message in bench.take()] == [item.mid]
    detail = api.MessageContractDetail(mid=item.mid)
    bench.say(bench.ack(item, 1, numbered=False), detail)
    assert "handle_status_message" not in handlers(bench.events())


def test_the_second_answer_to_a_read_that_was_sent_twice_is_dropped() -> None:
    bench = Bench()
    item = bench.submit(api.MessageGetContract(all_contracts=True))
    detail = api.MessageContractDetail(mid=item.mid)
    bench.say(bench.ack(item, 1, numbered=False), detail)
    bench.say(bench.ack(item, 1, numbered=False), detail)
    assert handlers(bench.dispatch()).count("handle_contract_detail") == 1
    assert item.state is State.DONE


def test_the_second_refusal_of_a_read_that_was_sent_twice_is_no_error() -> None:
    bench = Bench()
    item = bench.submit(api.MessageGetBookState())
    refusal = bench.status(item.mid, 400, numbered=False)
    bench.say(refusal)
    bench.say(refusal)
    assert handlers(bench.dispatch()).count("handle_status_message") == 1
    bench.say(refusal)
    assert handlers(bench.dispatch()) == []
    assert item.state is State.FAILED


def test_batch_members_are_acknowledged_by_the_batch_message_and_never_resent_alone() -> None:
    bench = Bench()
    orders = [api.MessageLimitOrder(contract_id=1, size=1, price_in_cents=100) for _ in range(3)]
    batch, items = bench.tracker.submit_batch(orders, bench.now)
    (sent,) = bench.take()
    assert [wire.unwrap(request).mid for request in sent.requests] == [item.mid for item in items]
    bench.say(bench.ack(batch))
    acks = [bench.status(item.mid, 300, 1, numbered=False) for item in items]
    bench.say(bench.numbered(api.MessageBatch(mid=batch.mid, messages=acks)))
    events = bench.dispatch()
    assert handlers(events)[-2:] == ["handle_status_message", "handle_batch_message"]
    assert batch.state is State.DONE
    assert [item.state for item in items] == [State.ACKNOWLEDGED] * 3
    assert [item.answers for item in items] == [[], [], []]
    bench.advance(10)
    assert [m for m in bench.take() if not isinstance(m, api.MessageHello)] == []


def test_a_batch_that_is_lost_is_resent_whole() -> None:
    bench = Bench()
    order = api.MessageLimitOrder(contract_id=1, size=1, price_in_cents=100)
    batch, _ = bench.tracker.submit_batch([order], bench.now)
    (first,) = bench.take()
    bench.lose()
    bench.connect()
    assert bench.take() == [first]
    assert first.mid == batch.mid


def test_a_refused_batch_fails_its_members() -> None:
    bench = Bench()
    orders = [api.MessageLimitOrder() for _ in range(201)]
    batch, items = bench.tracker.submit_batch(orders, bench.now)
    bench.say(bench.ack(batch), bench.status(batch.mid, 413))
    bench.dispatch()
    assert {item.state for item in [batch, *items]} == {State.FAILED}
    assert len(bench.store) == 0


def read_in_a_batch(bench: Bench) -> tuple[RequestItem, RequestItem, list[Any]]:
    """A batch with a question, sent; its item, the question's, and what the venue makes of it."""
    batch, (item,) = bench.tracker.submit_batch([api.MessageGetPositions()], bench.now)
    bench.take()
    acks = [bench.status(item.mid, 300, 1, numbered=False)]
    answers = [bench.ack(batch), bench.numbered(api.MessageBatch(mid=batch.mid, messages=acks))]
    return batch, item, answers


def test_a_read_in_a_batch_whose_answer_went_to_a_lost_connection_is_asked_on_its_own() -> None:
    bench = Bench()
    _, item, answers = read_in_a_batch(bench)
    bench.lose()
    bench.connect()
    bench.take()
    bench.say(*answers)  # by the line, whereas answers to reads go to the asker alone
    assert [message.mid for message in bench.take()] == [item.mid]
    bench.say(*answers)
    assert bench.take() == []
    bench.say(bench.status(item.mid, 300, 1, numbered=False), bench.status(item.mid, 210, 0, numbered=False))
    bench.dispatch()
    assert item.state is State.DONE


def test_a_read_in_a_batch_that_is_answered_is_not_asked_again_when_the_batch_is_resent() -> None:
    bench = Bench()
    batch, item, answers = read_in_a_batch(bench)
    bench.say(bench.status(item.mid, 210, 0, numbered=False))
    bench.dispatch()
    assert item.state is State.DONE
    bench.lose()
    bench.connect()
    assert [message.mid for message in bench.take()] == [batch.mid]
    bench.say(*answers)
    bench.dispatch()
    assert bench.take() == []
    bench.lose()
    bench.connect()
    assert bench.take() == []
    assert len(bench.store) == 0


def test_a_batch_that_cannot_be_taken_leaves_nothing_behind() -> None:
    bench = Bench()
    order = api.MessageLimitOrder(mid="0123456789abcdef" * 2)
    with pytest.raises(InvalidField, match="the same mid"):
        bench.tracker.submit_batch([order, order], bench.now)
    with pytest.raises(InvalidField, match="32 hex"):
        bench.tracker.submit_batch([order, api.MessageLimitOrder(mid="mine")], bench.now)
    with pytest.raises(InvalidMessage, match="too large"):
        bench.tracker.submit_batch([order, *[api.MessageLimitOrder()] * 60_000], bench.now)
    assert len(bench.store) == 0
    assert bench.take() == []
    assert bench.submit(order).mid == order.mid


def test_a_requests_age_counts_from_its_submission_not_from_its_first_sending() -> None:
    bench = Bench(connect=False)
    item, own = bench.order(), bench.submit(api.MessageCancelAll(expires=77))
    batch = bench.submit(api.MessageBatch(expires=78))
    bench.now += 59
    bench.connect()
    bench.take()
    assert item.msg.expires == item.msg.timestamp + 10**9
    assert own.msg.expires == 77
    assert batch.msg.expires == 78


def test_what_is_no_request_is_refused_by_name_and_place() -> None:
    bench = Bench()
    with pytest.raises(InvalidMessage, match="MessageStatus is no request"):
        bench.submit(api.MessageStatus())
    with pytest.raises(InvalidMessage, match=r"messages\[1\] is a str"):
        bench.tracker.submit_batch([api.MessageLimitOrder(), "order"], bench.now)
    assert bench.take() == []


def test_a_batch_message_submitted_as_such_is_a_batch() -> None:
    bench = Bench()
    message = api.MessageBatch(requests=[wire.envelope(api.MessageLimitOrder(size=1))])
    item = bench.submit(message)
    assert len(item.members) == 1


def test_the_users_message_is_copied() -> None:
    bench = Bench()
    order = api.MessageLimitOrder(contract_id=1, size=1, price_in_cents=100)
    first, second = bench.submit(order), bench.submit(order)
    assert order.mid == ""
    assert first.mid != second.mid


def test_a_mid_of_the_users_own_is_kept_if_it_is_one_and_is_free() -> None:
    bench = Bench()
    own = "0123456789abcdef" * 2
    assert bench.submit(api.MessageLimitOrder(mid=own)).mid == own
    with pytest.raises(InvalidField, match="in use"):
        bench.submit(api.MessageLimitOrder(mid=own))
    with pytest.raises(InvalidField, match="32 hex"):
        bench.submit(api.MessageLimitOrder(mid="mine"))


def test_unacknowledged_requests_are_capped() -> None:
    bench = Bench(TrackerSettings(resend=ResendSettings(requests_max=3)))
    for _ in range(3):
        bench.order()
    with pytest.raises(QueueFull, match="3 requests are unacknowledged"):
        bench.order()
    with pytest.raises(QueueFull):
        bench.tracker.submit_batch([], bench.now)
    # What the tracker asks for itself is not refused, or the line would stand still.
    assert bench.tracker.submit(api.MessageReplay(), bench.now, internal=True)


def test_an_abandoned_request_fails_and_is_not_resent() -> None:
    bench = Bench()
    item = bench.order()
    bench.take()
    bench.tracker.abandon(item, bench.now)
    assert item.state is State.FAILED
    bench.lose()
    bench.connect()
    assert bench.take() == []


def test_a_frame_the_socket_refused_goes_out_again_in_order() -> None:
    bench = Bench()
    items = [bench.order(), bench.order()]
    assert bench.tracker.output() is not None
    bench.tracker.unsend()
    assert [message.mid for message in bench.take()] == [item.mid for item in items]


def test_requests_waiting_together_share_a_frame() -> None:
    bench = Bench()
    for _ in range(50):
        bench.order()
    bench.take()
    assert bench.frames == 2  # the hello, and all of these


def test_an_item_keeps_the_newest_answers_for_a_callback_that_may_come() -> None:
    bench = Bench()
    item = bench.order()
    for number in range(ANSWERS_KEPT_MAX + 5):
        item.keep(number, None)
        if number == 1:
            item.callback = lambda msg, prev_msg: None
            assert [answer for answer, _ in item.undelivered()] == [0, 1]
    assert item.answers == list(range(5, ANSWERS_KEPT_MAX + 5))
    assert [answer for answer, _ in item.undelivered()] == item.answers
