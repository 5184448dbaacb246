"""The contracts a venue starts with: read from TOML, checked, and turned into contract details.

The form of the file is written in the comments of `contracts.toml`, the built-in one.
"""

from __future__ import annotations

import tomllib
from collections.abc import Callable, Mapping
from datetime import UTC, date, datetime, time, timedelta
from importlib.resources import files
from pathlib import Path
from typing import Any, Final

from ledgerx.api.client.v0_0_1 import MessageContractDetail
from ledgerx.errors import InvalidContracts
from ledgerx.exchange.state import INT64_MAX

__all__ = ["CONTRACT_SIZE_MAX", "default_contracts", "last_friday", "load_contracts"]

CONTRACT_SIZE_MAX: Final = 10**12
"""The largest size a contract may allow, in lots: far below what a book's side can sum."""

_KINDS: Final = {"call": True, "put": False, "future": None}
_STATES: Final = {"open": MessageContractDetail.OPEN, "halted": MessageContractDetail.HALTED}
_DEFAULTS: Final = {"expiry_time": time(21), "state": "open", "min_size": 1, "multiplier": 1_000_000}
_DAYS_AHEAD_MAX: Final = 36_525
_NS: Final = 1_000_000_000


def default_contracts(today: date) -> list[MessageContractDetail]:
    """The built-in contracts, their expiries ahead of `today`."""
    text = files("ledgerx.exchange").joinpath("contracts.toml").read_text(encoding="utf-8")
    return _parse(text, today, "the built-in contracts")


def load_contracts(path: str | Path, today: date) -> list[MessageContractDetail]:
    """The contracts of a file. Raises InvalidContracts, which names the contract and the field."""
    try:
        text = Path(path).read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise InvalidContracts(f"{path} cannot be read: {error}") from error
    return _parse(text, today, str(path))


def last_friday(year: int, month: int) -> date:
    """The last Friday of a month: when quarterly contracts expire."""
    following = date(year + month // 12, month % 12 + 1, 1)
    last = following - timedelta(days=1)
    return last - timedelta(days=(last.weekday() - 4) % 7)


def _parse(text: str, today: date, where: str) -> list[MessageContractDetail]:
    try:
        document = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise InvalidContracts(f"{where} is no TOML: {error}") from error
    defaults, contracts = document.pop("defaults", {}), document.pop("contract", [])
    if document:
        raise InvalidContracts(f"{where}: {', '.join(document)}: only [defaults] and [[contract]] are known")
    if not isinstance(defaults, dict) or not isinstance(contracts, list) or not contracts:
        raise InvalidContracts(f"{where} has no [[contract]]: give one or more, and [defaults] as a table")
    details: list[MessageContractDetail] = []
    ids: dict[int, str] = {}
    labels: dict[str, str] = {}
    for position, given in enumerate(contracts, 1):
        name = f"{where}: contract {position}"
        if not isinstance(given, dict):
            raise InvalidContracts(f"{name} is no table: start each with [[contract]]")
        if "contract_id" in given:
            name = f"{where}: contract {given['contract_id']}"
        detail = _Fields({**_DEFAULTS, **defaults, **given}, name).detail(today)
        _once(ids, detail.contract_id, f"{name}: contract_id {detail.contract_id}", name)
        _once(labels, detail.label, f"{name}: label {detail.label!r}", name)
        details.append(detail)
    return details


def _once(seen: dict[Any, str], value: Any, what: str, name: str) -> None:
    if value in seen:
        raise InvalidContracts(f"{what} is used by another contract of this file: each has its own")
    seen[value] = name


class _Fields:
    """One contract's values, taken one by one; `name` says which contract in errors."""

    def __init__(self, values: Mapping[str, Any], name: str) -> None:
        self._values = dict(values)
        self._name = name

    def detail(self, today: date) -> MessageContractDetail:
        """The whole contract; raises InvalidContracts for the first thing that is wrong."""
        detail = MessageContractDetail(
            contract_id=self._integer("contract_id", 1),
            underlying=self._word("underlying"),
            tick_in_cents=self._integer("tick_in_cents", 1),
            multiplier=self._integer("multiplier", 1),
            min_size=self._integer("min_size", 1),
            max_size=self._integer("max_size", 1, CONTRACT_SIZE_MAX),
            min_price_in_cents=self._integer("min_price_in_cents", -INT64_MAX),
            max_price_in_cents=self._integer("max_price_in_cents", -INT64_MAX),
            state=_STATES[self._one_of("state", _STATES)],
        )
        is_call = _KINDS[self._one_of("kind", _KINDS)]
        if is_call is not None:
            detail.is_call = is_call
            detail.strike_in_cents = self._integer("strike_in_cents", 1)
        elif "strike_in_cents" in self._values:
            raise self._wrong("strike_in_cents", "is for calls and puts: leave it out")
        expiry = self._expiry(today)
        detail.expiry = 0 if expiry is None else int(expiry.timestamp()) * _NS
        detail.label = self._label(_label(detail, expiry))
        self._check_together(detail)
        return detail

    def _check_together(self, detail: MessageContractDetail) -> None:
        if self._values:
            raise self._wrong(", ".join(self._values), "is unknown: contracts.toml lists what there is")
        if detail.min_size > detail.max_size:
            raise self._wrong("max_size", f"{detail.max_size} is below min_size {detail.min_size}")
        low, high = detail.min_price_in_cents, detail.max_price_in_cents
        if high // detail.tick_in_cents * detail.tick_in_cents < low:
            raise self._wrong(
                "max_price_in_cents",
                f"{high} leaves no multiple of the tick, {detail.tick_in_cents}, from {low} on",
            )

    # ------------------------------------------------------------------ one value each

    def _take(self, field: str) -> Any:
        if field not in self._values:
            raise self._wrong(field, "is missing: give it here or in [defaults]")
        return self._values.pop(field)

    def _integer(self, field: str, low: int, high: int = INT64_MAX) -> int:
        value = self._take(field)
        if isinstance(value, bool) or not isinstance(value, int) or not low <= value <= high:
            raise self._wrong(field, f"{value!r} is not a whole number from {low} to {high}")
        return value

    def _one_of(self, field: str, known: Mapping[str, object]) -> str:
        value = self._take(field)
        if not isinstance(value, str) or value not in known:
            raise self._wrong(field, f"{value!r} is not one of {', '.join(known)}")
        return value

    def _word(self, field: str) -> str:
        value = self._take(field)
        if not isinstance(value, str) or not value or value != "".join(value.split()):
            raise self._wrong(field, f"{value!r} is not one word")
        return value

    def _label(self, made: str) -> str:
        value = self._values.pop("label", made)
        if not isinstance(value, str) or not value.strip():
            raise self._wrong("label", f"{value!r} is no text")
        return value

    def _expiry(self, today: date) -> datetime | None:
        value, moment = self._take("expiry"), self._take("expiry_time")
        if type(moment) is not time:
            raise self._wrong("expiry_time", f"{moment!r} is no time of day such as 21:00:00")
        if value == "never":
            return None
        day = value if type(value) is date else self._day(value, today)
        expiry = datetime.combine(day, moment, UTC)
        if not 0 < expiry.timestamp() * _NS < INT64_MAX:
            raise self._wrong("expiry", f"{day} is not from 1970 to 2262, which is what the protocol can say")
        return expiry

    def _day(self, value: object, today: date) -> date:
        """The day a relative expiry means: `quarter+N` or `days+N`."""
        kind, plus, count = value.partition("+") if isinstance(value, str) else ("", "", "")
        resolve = _RELATIVE.get(kind)
        if resolve is None or not plus or not count.isdecimal() or not 0 < int(count) <= _DAYS_AHEAD_MAX:
            raise self._wrong(
                "expiry", f'{value!r} is no date, "quarter+1", "days+30" or "never" (1 to {_DAYS_AHEAD_MAX})'
            )
        try:
            return resolve(today, int(count))
        except (OverflowError, ValueError) as error:
            raise self._wrong("expiry", f"{value!r} is too far ahead") from error

    def _wrong(self, field: str, what: str) -> InvalidContracts:
        return InvalidContracts(f"{self._name}: {field} {what}")


def _quarter_ahead(today: date, count: int) -> date:
    """The last Friday of the `count`-th quarter month of which it is after `today`."""
    year, month = today.year, (today.month + 2) // 3 * 3
    if last_friday(year, month) <= today:
        count += 1
    months = year * 12 + month - 1 + (count - 1) * 3
    return last_friday(months // 12, months % 12 + 1)


def _days_ahead(today: date, count: int) -> date:
    return today + timedelta(days=count)


_RELATIVE: Final[dict[str, Callable[[date, int], date]]] = {"quarter": _quarter_ahead, "days": _days_ahead}


def _label(detail: MessageContractDetail, expiry: datetime | None) -> str:
    """`BTC 2027-03-26 Call 100000`: underlying, day, kind and, of an option, the strike in dollars."""
    day = "Perpetual" if expiry is None else expiry.date().isoformat()
    if not detail.HasField("is_call"):
        return f"{detail.underlying} {day} Future"
    dollars, cents = divmod(detail.strike_in_cents, 100)
    strike = f"{dollars}.{cents:02}" if cents else f"{dollars}"
    return f"{detail.underlying} {day} {'Call' if detail.is_call else 'Put'} {strike}"
