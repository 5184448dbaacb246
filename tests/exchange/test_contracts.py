"""The contracts file: the built-in one, and what is wrong with others."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest
from engine_harness import ALICE, Bench
from hypothesis import given
from hypothesis import strategies as st

from ledgerx.errors import InvalidContracts
from ledgerx.exchange.contracts import default_contracts, last_friday, load_contracts

TODAY = date(2026, 12, 26)


def day_of(expiry: int) -> date:
    return datetime.fromtimestamp(expiry // 10**9, UTC).date()


def future(**fields: object) -> str:
    """A file with one future; a field given as None is left out."""
    values = {
        "contract_id": 1,
        "underlying": '"BTC"',
        "kind": '"future"',
        "expiry": "2027-03-26",
        "tick_in_cents": 1,
        "min_price_in_cents": 1,
        "max_price_in_cents": 1000,
        "max_size": 10,
        **fields,
    }
    lines = [f"{name} = {value}" for name, value in values.items() if value is not None]
    return "\n".join(["[[contract]]", *lines])


def load(tmp_path: Path, text: str):
    path = tmp_path / "contracts.toml"
    path.write_text(text, encoding="utf-8")
    return load_contracts(path, TODAY)


# ---------------------------------------------------------------------- the built-in contracts


@given(st.dates(date(2020, 1, 1), date(2200, 1, 1)))
def test_every_built_in_contract_expires_after_the_day_it_is_made(today: date):
    details = default_contracts(today)
    assert len(details) >= 12
    assert all(day_of(detail.expiry) > today for detail in details)
    assert len({detail.label for detail in details}) == len(details)


def test_there_are_calls_puts_strikes_and_two_expiries():
    options = [detail for detail in default_contracts(TODAY) if detail.HasField("is_call")]
    assert {detail.is_call for detail in options} == {True, False}
    assert len({detail.strike_in_cents for detail in options}) >= 3
    days = sorted({day_of(detail.expiry) for detail in options})
    assert days == [date(2027, 3, 26), date(2027, 6, 25)]


def test_labels_read_as_the_manuals():
    assert "BTC 2027-03-26 Call 100000" in {detail.label for detail in default_contracts(TODAY)}


def test_the_first_future_takes_any_price_in_cents_and_large_sizes():
    future = next(d for d in default_contracts(TODAY) if not d.HasField("is_call"))
    assert (future.tick_in_cents, future.min_price_in_cents, future.max_price_in_cents) == (1, 1, 100_000_000)
    assert future.max_size == 10_000_000
    assert timedelta(days=270) < day_of(future.expiry) - TODAY < timedelta(days=470)


def test_every_built_in_contract_accepts_a_bid_of_one_at_100_and_at_5000():
    details = default_contracts(date(2030, 1, 1))
    bench = Bench(*details)
    for detail in details:
        for price in (100, 5000):
            told = bench.limit(ALICE, 1, price, contract_id=detail.contract_id).told(ALICE)
            assert told[-1] == ("INSERTED", 1, 1, 1)


@pytest.mark.parametrize(
    ("today", "expected"),
    [
        (date(2026, 3, 26), date(2026, 3, 27)),
        (date(2026, 3, 27), date(2026, 6, 26)),
        (date(2026, 4, 1), date(2026, 6, 26)),
        (date(2026, 12, 25), date(2027, 3, 26)),
        (date(2026, 12, 24), date(2026, 12, 25)),
    ],
)
def test_a_quarter_ahead_is_the_next_last_friday_after_today(tmp_path: Path, today: date, expected: date):
    path = tmp_path / "contracts.toml"
    path.write_text(future(expiry='"quarter+1"'), encoding="utf-8")
    (detail,) = load_contracts(path, today)
    assert day_of(detail.expiry) == expected


def test_the_last_friday_of_a_month():
    assert last_friday(2026, 12) == date(2026, 12, 25)
    assert last_friday(2027, 4) == date(2027, 4, 30)


def test_a_day_beyond_the_calendar_is_refused(tmp_path: Path):
    path = tmp_path / "contracts.toml"
    path.write_text(future(expiry='"quarter+1"'), encoding="utf-8")
    with pytest.raises(InvalidContracts, match="too far ahead"):
        load_contracts(path, date(9999, 12, 31))


# ---------------------------------------------------------------------- a file of one's own


def test_a_file_says_everything_about_a_contract(tmp_path: Path):
    text = """
    [defaults]
    underlying = "ETH"
    tick_in_cents = 5
    min_price_in_cents = 0
    max_price_in_cents = 500
    max_size = 9

    [[contract]]
    contract_id = 4
    kind = "put"
    strike_in_cents = 123450
    expiry = 2027-01-29
    expiry_time = 08:00:00
    min_size = 2
    multiplier = 7
    state = "halted"

    [[contract]]
    contract_id = 5
    label = "Ether for ever"
    kind = "future"
    expiry = "never"
    """
    put, perpetual = load(tmp_path, text)
    assert (put.contract_id, put.label, put.is_call) == (4, "ETH 2027-01-29 Put 1234.50", False)
    assert (put.strike_in_cents, put.multiplier, put.state) == (123450, 7, 1)
    assert (put.min_size, put.max_size, put.min_price_in_cents, put.max_price_in_cents) == (2, 9, 0, 500)
    assert put.expiry == int(datetime(2027, 1, 29, 8, tzinfo=UTC).timestamp()) * 10**9
    assert (perpetual.label, perpetual.expiry, perpetual.HasField("is_call")) == ("Ether for ever", 0, False)


def test_days_ahead_and_the_label_of_a_perpetual(tmp_path: Path):
    (dated,) = load(tmp_path, future(expiry='"days+30"'))
    assert day_of(dated.expiry) == TODAY + timedelta(days=30)
    (perpetual,) = load(tmp_path, future(expiry='"never"'))
    assert perpetual.label == "BTC Perpetual Future"


@pytest.mark.parametrize(
    ("fields", "field"),
    [
        ({"contract_id": None}, "contract_id"),
        ({"contract_id": 0}, "contract_id"),
        ({"contract_id": "true"}, "contract_id"),
        ({"contract_id": 2**63}, "contract_id"),
        ({"underlying": '"two words"'}, "underlying"),
        ({"underlying": 5}, "underlying"),
        ({"kind": '"swap"'}, "kind"),
        ({"kind": '"call"'}, "strike_in_cents"),
        ({"strike_in_cents": 5}, "strike_in_cents"),
        ({"expiry": '"someday"'}, "expiry"),
        ({"expiry": '"quarter+0"'}, "expiry"),
        ({"expiry": '"quarter+30000"'}, "expiry"),
        ({"expiry": '"days+99999"'}, "expiry"),
        ({"expiry": 20270326}, "expiry"),
        ({"expiry": "2027-03-26T08:00:00Z"}, "expiry"),
        ({"expiry": "1969-12-31"}, "expiry"),
        ({"expiry": "2300-01-01"}, "expiry"),
        ({"expiry_time": '"noon"'}, "expiry_time"),
        ({"tick_in_cents": 0}, "tick_in_cents"),
        ({"tick_in_cents": 1.5}, "tick_in_cents"),
        ({"tick_in_cents": 2000}, "max_price_in_cents"),
        ({"min_price_in_cents": 1001}, "max_price_in_cents"),
        ({"min_size": 11}, "max_size"),
        ({"max_size": 10**13}, "max_size"),
        ({"label": '" "'}, "label"),
        ({"state": '"closed"'}, "state"),
        ({"tick_in_cent": 5}, "tick_in_cent"),
    ],
)
def test_a_faulty_contract_is_named_with_its_field(tmp_path: Path, fields: dict[str, object], field: str):
    with pytest.raises(InvalidContracts, match=rf"contract \S+: {field} "):
        load(tmp_path, future(**fields))


@pytest.mark.parametrize(
    "text",
    [
        "",
        "not toml",
        "[defaults]",
        "contract = []",
        "contract = 5",
        "contract = [5]",
        "defaults = 5\n" + future(),
        "[other]\n" + future(),
        future() + "\n" + future(),
        future() + "\n" + future(contract_id=2),
    ],
)
def test_a_faulty_file_is_refused(tmp_path: Path, text: str):
    with pytest.raises(InvalidContracts, match=r"contracts\.toml"):
        load(tmp_path, text)


def test_a_file_that_cannot_be_read_is_refused(tmp_path: Path):
    with pytest.raises(InvalidContracts, match="nowhere") as caught:
        load_contracts(tmp_path / "nowhere.toml", TODAY)
    assert isinstance(caught.value.__cause__, FileNotFoundError)
    (tmp_path / "latin.toml").write_bytes(b"\xff")
    with pytest.raises(InvalidContracts):
        load_contracts(str(tmp_path / "latin.toml"), TODAY)
