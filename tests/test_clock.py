"""The system's clock."""

from __future__ import annotations

import time

from ledgerx.clock import SYSTEM_CLOCK


def test_time_goes_on_while_the_machine_sleeps() -> None:
    counts_sleep = getattr(time, "CLOCK_BOOTTIME", time.CLOCK_MONOTONIC)
    before = time.clock_gettime(counts_sleep)
    now = SYSTEM_CLOCK.monotonic()
    assert before <= now <= time.clock_gettime(counts_sleep)


def test_each_id_is_another_uuid_of_version_4() -> None:
    ids = {SYSTEM_CLOCK.unique_hex() for _ in range(100)}
    assert len(ids) == 100
    assert all(len(one) == 32 and one[12] == "4" and one[16] in "89ab" for one in ids)
