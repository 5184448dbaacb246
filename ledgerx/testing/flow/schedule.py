"""From steps, one after the other, to waves: steps that may reach the venue in any order of accounts.

Every account has a connection of its own, and the venue runs what arrives first. Within a wave each
account's steps keep their order, and any interleaving of the accounts gives the same book and the same
fills as one step after the other; the next wave must wait until all of this one is acknowledged. So
accounts trade at the same time where the market allows it, and a wave travels as one batch an account.

Two steps of different accounts may not share a wave if

* both place at the same price of one side: who is first there matters;
* one places at a price that an order of the other side, taken away before, would have met;
* one executes on a side, and the other touches that side at the price executed or a better one.
"""

from __future__ import annotations

from ledgerx.errors import InvalidField
from ledgerx.testing.flow.steps import Action, Step

__all__ = ["BATCH_STEPS_MAX", "Scheduler", "Wave"]

BATCH_STEPS_MAX = 200
"""The most steps of one account in a wave: what a MessageBatch holds."""

Wave = dict[int, list[Step]]
"""By account, in the order of their first step: its steps in their order."""


class _Side:
    """What a wave's accounts did on one side. Prices as keys that grow towards the spread."""

    def __init__(self) -> None:
        self.placed: dict[int, int] = {}  # key -> account
        self.touched: dict[int, int] = {}  # account -> its best key
        self.removed: dict[int, int] = {}  # account -> its best key at which an order went away
        self.executed: dict[int, int] = {}  # account -> its worst key


class Scheduler:
    """Give it steps in order; it gives waves. `steps_max` caps an account's steps in a wave."""

    def __init__(self, steps_max: int = BATCH_STEPS_MAX) -> None:
        if not 1 <= steps_max <= BATCH_STEPS_MAX:
            raise InvalidField(f"not in 1 to {BATCH_STEPS_MAX}", field="steps_max", value=steps_max)
        self._steps_max = steps_max
        self._start()

    def _start(self) -> None:
        self._wave: Wave = {}
        self._sides = (_Side(), _Side())

    def add(self, step: Step) -> Wave | None:
        """Takes one step; returns the wave before it if the step cannot be part of that one."""
        finished = None
        if len(self._wave.get(step.account, ())) == self._steps_max or self._conflicts(step):
            finished = self.flush()
        self._wave.setdefault(step.account, []).append(step)
        self._note(step)
        return finished

    def flush(self) -> Wave | None:
        """The wave so far, if it has a step; the next one starts empty."""
        wave = self._wave
        self._start()
        return wave or None

    def _conflicts(self, step: Step) -> bool:
        account, key = step.account, _key(step)
        own, other = self._side(step)
        if step.action is Action.EXECUTE:
            return any(best >= key for who, best in own.touched.items() if who != account)
        if any(worst <= key for who, worst in own.executed.items() if who != account):
            return True
        if step.action is Action.PLACE:
            if own.placed.get(key, account) != account:
                return True
            return any(best >= -key for who, best in other.removed.items() if who != account)
        return False

    def _note(self, step: Step) -> None:
        account, key = step.account, _key(step)
        own, _ = self._side(step)
        own.touched[account] = max(key, own.touched.get(account, key))
        if step.action is Action.PLACE:
            own.placed[key] = account
        elif step.action is not Action.REDUCE:
            own.removed[account] = max(key, own.removed.get(account, key))
        if step.action is Action.EXECUTE:
            own.executed[account] = min(key, own.executed.get(account, key))

    def _side(self, step: Step) -> tuple[_Side, _Side]:
        """The side whose resting orders a step concerns, and the other one."""
        is_ask = step.is_ask != (step.action is Action.EXECUTE)
        return self._sides[is_ask], self._sides[not is_ask]


def _key(step: Step) -> int:
    """The price as the resting side sees it, growing towards the spread."""
    is_ask = step.is_ask != (step.action is Action.EXECUTE)
    return -step.price if is_ask else step.price
