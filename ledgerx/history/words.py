"""Times, periods and catalogs as people write them: `2024-01-31`, `2024-01-31T12:00`, `1m`, `4h`."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from typing import Final
from urllib.parse import urlsplit

from ledgerx.errors import InvalidField
from ledgerx.history.extras import needed
from ledgerx.history.periods import DAY_SECONDS, WEEK_SECONDS, check_period, check_range

__all__ = ["parse_catalog", "parse_period", "parse_time", "time_text"]

_UNITS: Final = {"": 1, "s": 1, "m": 60, "h": 3600, "d": DAY_SECONDS, "w": WEEK_SECONDS}
_TIME_CHARACTERS_MAX: Final = 40
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)


def parse_period(text: str) -> int:
    """A period in seconds: a number of s, m, h, d or w (seconds without a letter). Raises InvalidField."""
    match = re.fullmatch(r"(\d{1,9})([smhdw]?)", text.strip())
    if match is None:
        raise InvalidField(
            f"period {text!r}: give a number and s, m, h, d or w, such as 1m", field="period", value=text
        )
    return check_period(int(match[1]) * _UNITS[match[2]])


def parse_time(text: str) -> int:
    """A time in microseconds since 1970 UTC: ISO 8601, UTC where it names no zone, or the microseconds.

    Raises InvalidField.
    """
    text = text.strip()
    if 8 < len(text) <= _TIME_CHARACTERS_MAX and text.isdecimal():
        return check_range(int(text), int(text))[0]
    try:
        if len(text) > _TIME_CHARACTERS_MAX:
            text = (
                text[:_TIME_CHARACTERS_MAX] + "..."
            )  # Python refuses to make a number of thousands of digits
        found = datetime.fromisoformat(text)
    except ValueError as error:
        hint = "give a date, 2024-01-31 or 2024-01-31T12:00, or microseconds since 1970 UTC"
        raise InvalidField(f"time {text!r}: {hint}", field="time", value=text) from error
    if found.tzinfo is None:
        found = found.replace(tzinfo=UTC)
    time = (found - _EPOCH) // timedelta(microseconds=1)
    return check_range(time, time)[0]


def parse_catalog(text: str) -> str:
    """A catalog's URI whose host and port can be read; whether it is of a known form, opening it tells.

    Raises InvalidField, which does not show the URI: a password may be in it.
    """
    try:
        if text.startswith("http"):
            _ = urlsplit(text).port
        elif text.startswith("postgresql"):
            # SQLAlchemy's own reading, for a password may have characters that other readings end at.
            needed("sqlalchemy.engine", "the warehouse of candles").make_url(text)
    except ValueError as error:
        hint = "give http://HOST:PORT or postgresql+psycopg2://USER@HOST:PORT/DATABASE"
        raise InvalidField(
            f"catalog: its host or port is none: {hint}", field="catalog", value=None
        ) from error
    return text


def time_text(time: int) -> str:
    """Microseconds since 1970 UTC as people read them."""
    return (_EPOCH + timedelta(microseconds=time)).isoformat(sep=" ").removesuffix("+00:00")
