"""The bytes built directly are those protobuf makes of the same values."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st
from strategies import any_message

from ledgerx.api.client import v0_0_1 as api
from ledgerx.exchange import encoding
from ledgerx.protocol.wire import encode_message

int64 = st.integers(-(2**63), 2**63 - 1)
uint64 = st.one_of(st.integers(0, 2**64 - 1), st.integers(1, 300), st.sampled_from([2**14 - 1, 2**14, 2**28]))
positive = uint64.filter(bool)
small = st.integers(0, 700)
text = st.text(st.characters(exclude_categories=["Cs"]), max_size=300)
mid = st.uuids().map(lambda uuid: uuid.hex)
shared = st.fixed_dictionaries({"run_id": int64, "timestamp": int64, "cid": int64, "mpid": int64})


@given(any_message)
def test_encode_gives_what_the_wire_gives(message):
    assert encoding.encode(message) == encode_message(message)


def test_a_long_message_is_encoded_too():
    message = api.MessageStatus(message="x" * 100_000)
    assert encoding.encode(message) == encode_message(message)


def heads(values: dict[str, int]) -> tuple[bytes, bytes]:
    return (
        encoding.stamp(values["run_id"], values["timestamp"]),
        encoding.addressee(values["cid"], values["mpid"]),
    )


@given(text, shared, positive, st.integers(0, 2**32 - 1), small, text, text)
def test_a_status(mid, values, sequence, remaining, status, message, field):
    expected = api.MessageStatus(
        mid=mid,
        mversion="0.0.1",
        account_sequence=sequence,
        remaining=remaining,
        status=status,
        message=message,
        field=field,
        **values,
    )
    body = encoding.status_body(remaining, status, message, field)
    assert encoding.encode_status(mid, *heads(values), sequence, body) == encode_message(expected)


@given(
    st.data(), mid, shared, positive, st.booleans(), st.one_of(st.just(""), mid), st.booleans(), st.booleans()
)
def test_a_report(data, mid, values, sequence, is_open, request_mid, is_ask, is_aggressor):
    numbers = {
        name: data.draw(int64)
        for name in ("contract_id", "size", "original_size", "price_in_cents", "filled_price_in_cents")
    }
    amounts = {name: data.draw(positive.filter(lambda n: n < 2**63)) for name in ("filled", "inserted")}
    canceled, order_id, trade_id = data.draw(int64), data.draw(uint64), data.draw(positive)
    expected = api.MessageActionReport(
        mid=mid,
        mversion="0.0.1",
        account_sequence=sequence,
        remaining=int(is_open),
        request_mid=request_mid,
        order_id=order_id,
        is_ask=is_ask,
        status_type=201,
        filled_size=amounts["filled"],
        inserted_size=amounts["inserted"],
        canceled_size=canceled,
        is_aggressor=is_aggressor,
        trade_id=trade_id,
        **numbers,
        **values,
    )
    action = (
        encoding.report_fill(amounts["filled"], numbers["filled_price_in_cents"])
        + encoding.report_inserted(amounts["inserted"])
        + encoding.report_canceled(canceled)
        + encoding.report_trade(trade_id, is_aggressor)
    )
    encoded = encoding.encode_report(
        mid,
        *heads(values),
        sequence,
        is_open,
        request_mid,
        encoding.report_identity(order_id, numbers["contract_id"], is_ask),
        201,
        numbers["size"],
        encoding.report_terms(numbers["original_size"], numbers["price_in_cents"]),
        action,
    )
    assert encoded == encode_message(expected)


@given(int64, int64, int64, positive, st.integers(0, 2), positive, st.booleans(), int64, int64)
def test_a_book_update(run_id, time, contract_id, sequence, action, order_id, is_ask, price, size):
    expected = api.MessageBookUpdate(
        mversion="0.0.1",
        run_id=run_id,
        timestamp=time,
        contract_id=contract_id,
        sequence=sequence,
        action=action,
        order_id=order_id,
        is_ask=is_ask,
        price_in_cents=price,
        size=size,
    )
    stamp = encoding.stamp(run_id, time)
    encoded = encoding.encode_book_update(stamp, contract_id, sequence, action, order_id, is_ask, price, size)
    assert encoded == encode_message(expected)


@given(int64, int64, int64, positive, positive, int64, int64, st.booleans(), positive, positive)
def test_a_trade(run_id, time, contract_id, sequence, trade_id, price, size, is_ask, order_id, update):
    expected = api.MessageTrade(
        mversion="0.0.1",
        run_id=run_id,
        timestamp=time,
        contract_id=contract_id,
        sequence=sequence,
        trade_id=trade_id,
        price_in_cents=price,
        size=size,
        is_ask=is_ask,
        order_id=order_id,
        book_update_sequence=update,
    )
    stamp = encoding.stamp(run_id, time)
    encoded = encoding.encode_trade(
        stamp, contract_id, sequence, trade_id, price, size, is_ask, order_id, update
    )
    assert encoded == encode_message(expected)


@given(int64, int64, int64, positive, st.tuples(int64, int64, int64, int64))
def test_a_book_top(run_id, time, contract_id, sequence, top):
    expected = api.MessageBookTop(
        mversion="0.0.1",
        run_id=run_id,
        timestamp=time,
        contract_id=contract_id,
        sequence=sequence,
        bid=top[0],
        bid_size=top[1],
        ask=top[2],
        ask_size=top[3],
    )
    stamp = encoding.stamp(run_id, time)
    assert encoding.encode_book_top(stamp, contract_id, sequence, top) == encode_message(expected)


@given(st.lists(st.tuples(uint64, st.booleans(), int64, int64, st.one_of(st.just(""), mid)), max_size=5))
def test_the_orders_of_a_snapshot(orders):
    expected = api.MessageBookStateSnapshot()
    for order_id, is_ask, price, size, own in orders:
        expected.orders.add(order_id=order_id, is_ask=is_ask, price_in_cents=price, size=size, mid=own)
    assert b"".join(encoding.book_order(*order) for order in orders) == expected.SerializeToString()
