"""The commands of trading protocol 0.0.1.

    cmd = get_cmd_version("0.0.1").Commands(context)
    item = cmd.limit_order(contract_id=7, size=1, price_in_cents=5000)

A field left out is left out of the message, and the exchange names what is missing.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from ledgerx.api.client import v0_0_1 as api
from ledgerx.errors import InvalidField
from ledgerx.protocol.wire import AnyMessage
from ledgerx.sdk.items import RequestItem

if TYPE_CHECKING:
    from ledgerx.sdk.context import Context

__all__ = ["Commands"]


def _filled(message: Any, fields: dict[str, Any]) -> Any:
    """`message` with the given fields set, None meaning absent. Raises InvalidField."""
    for name, value in fields.items():
        if value is None:
            continue
        try:
            setattr(message, name, value)
        except (TypeError, ValueError) as error:
            kind = type(message).__name__
            text = f"{kind}.{name} cannot hold {value!r}: {error}"
            raise InvalidField(text, field=name, value=value) from error
    return message


class Commands:
    """One method a request of the protocol; each returns the request's item.

    Prices are integer cents, sizes integer lots. `expires` is venue time in ns, after which the exchange
    refuses the request; an order, quote or cancel-replace expires RESEND_MAX_AGE_S after it was submitted
    unless told otherwise. A method returns when the ACK has arrived, or after ACK_TIMEOUT_S with the item
    still SENT; `wait=False` returns at once. All raise InvalidField for a value that the field cannot hold,
    QueueFull when too many requests are unacknowledged, and InvalidState if the Context is not running.
    """

    def __init__(self, context: Context) -> None:
        self._context = context

    def limit_order(
        self,
        contract_id: int | None = None,
        size: int | None = None,
        price_in_cents: int | None = None,
        is_ask: bool | None = None,
        *,
        post_only: bool | None = None,
        time_in_force: int | None = None,
        expires: int | None = None,
        wait: bool = True,
    ) -> RequestItem:
        """An order to buy (or sell, `is_ask`) `size` lots at `price_in_cents` or better.

        `time_in_force` is one of `api.MessageLimitOrder.GTC` (the default), `IOC`, `FOK`.
        """
        message = api.MessageLimitOrder()
        return self._submit(message, locals(), wait)

    def market_order(
        self,
        contract_id: int | None = None,
        size: int | None = None,
        is_ask: bool | None = None,
        *,
        expires: int | None = None,
        wait: bool = True,
    ) -> RequestItem:
        """An order at any price; what finds no counterparty is canceled."""
        message = api.MessageMarketOrder()
        return self._submit(message, locals(), wait)

    def quote(
        self,
        contract_id: int | None = None,
        bid_price_in_cents: int | None = None,
        bid_size: int | None = None,
        ask_price_in_cents: int | None = None,
        ask_size: int | None = None,
        *,
        expires: int | None = None,
        wait: bool = True,
    ) -> RequestItem:
        """A bid and an ask at once, which replace this account's quote in the contract."""
        message = api.MessageQuote()
        return self._submit(message, locals(), wait)

    def cancel_order(
        self,
        contract_id: int | None = None,
        entry_id: str | None = None,
        *,
        expires: int | None = None,
        wait: bool = True,
    ) -> RequestItem:
        """Cancel what is open of the order whose mid is `entry_id`."""
        message = api.MessageCancelOrder()
        return self._submit(message, locals(), wait)

    def cancel_replace(
        self,
        contract_id: int | None = None,
        entry_id: str | None = None,
        size: int | None = None,
        price_in_cents: int | None = None,
        *,
        expires: int | None = None,
        wait: bool = True,
    ) -> RequestItem:
        """Change an order to a new total size (what is filled included) and price.

        It keeps its entry ID; it keeps its place in the queue only when it shrinks at the same price.
        """
        message = api.MessageCancelReplace()
        return self._submit(message, locals(), wait)

    def cancel_all(
        self, contract_id: int | None = None, *, expires: int | None = None, wait: bool = True
    ) -> RequestItem:
        """Cancel all open orders of the account, in one contract or in every one."""
        message = api.MessageCancelAll()
        return self._submit(message, locals(), wait)

    def get_contract(
        self, contract_id: int | None = None, all_contracts: bool | None = None, *, wait: bool = True
    ) -> RequestItem:
        """Ask for the details of one contract, or of all."""
        message = api.MessageGetContract()
        return self._submit(message, locals(), wait)

    def get_book_state(self, contract_id: int | None = None, *, wait: bool = True) -> RequestItem:
        """Ask for all resting orders of a contract."""
        message = api.MessageGetBookState()
        return self._submit(message, locals(), wait)

    def get_open_orders(self, contract_id: int | None = None, *, wait: bool = True) -> RequestItem:
        """Ask for the account's open orders, in one contract or in every one."""
        message = api.MessageGetOpenOrders()
        return self._submit(message, locals(), wait)

    def get_positions(self, *, wait: bool = True) -> RequestItem:
        """Ask for the account's positions."""
        message = api.MessageGetPositions()
        return self._submit(message, locals(), wait)

    def batch(
        self, messages: Iterable[AnyMessage] = (), *, wait: bool = True
    ) -> tuple[RequestItem, list[RequestItem]]:
        """Send 1 to 200 requests that run in the order given; returns (the batch's item, theirs).

        The messages are copied. Raises InvalidMessage naming the place of one that is no request; what the
        exchange does not take in a batch (another batch, a replay) it answers with a refusal.
        """
        return self._context.submit_batch(messages, wait=wait)

    def replay(
        self, from_sequence: int | None = None, to_sequence: int | None = None, *, wait: bool = True
    ) -> RequestItem:
        """Ask for the account's stored messages again, up to the head unless told where to end.

        The item's callback gets each of them, then a status whose `next` is where the next page starts,
        0 at the end. Handlers get those that this Context has never dispatched.
        """
        message = api.MessageReplay()
        return self._submit(message, locals(), wait)

    def _submit(self, message: AnyMessage, arguments: dict[str, Any], wait: bool) -> RequestItem:
        """Fill a message from a command's own arguments and send it."""
        names = set(message.DESCRIPTOR.fields_by_name)
        fields = {name: value for name, value in arguments.items() if name in names}
        return self._context.submit(_filled(message, fields), wait=wait)
