"""The messages of trading protocol 0.0.1, as generated from v0_0_1.proto.

    from ledgerx.api.client import v0_0_1 as api

    order = api.MessageLimitOrder(size=1, price_in_cents=5000, contract_id=7)

A field or type that the schema does not have fails where it is assigned: AttributeError, TypeError,
or ValueError for a number out of its field's range.
"""

from ledgerx.api.client.v0_0_1_pb2 import (
    BookOrder,
    Frame,
    Message,
    MessageActionReport,
    MessageBatch,
    MessageBookStateSnapshot,
    MessageBookTop,
    MessageBookUpdate,
    MessageCancelAll,
    MessageCancelOrder,
    MessageCancelReplace,
    MessageContractDetail,
    MessageGetBookState,
    MessageGetContract,
    MessageGetOpenOrders,
    MessageGetPositions,
    MessageHeartbeat,
    MessageHello,
    MessageLimitOrder,
    MessageMarketOrder,
    MessagePosition,
    MessageQuote,
    MessageReplay,
    MessageRunChange,
    MessageStatus,
    MessageTrade,
    TopicHead,
)

VERSION = "0.0.1"

__all__ = [
    "VERSION",
    "BookOrder",
    "Frame",
    "Message",
    "MessageActionReport",
    "MessageBatch",
    "MessageBookStateSnapshot",
    "MessageBookTop",
    "MessageBookUpdate",
    "MessageCancelAll",
    "MessageCancelOrder",
    "MessageCancelReplace",
    "MessageContractDetail",
    "MessageGetBookState",
    "MessageGetContract",
    "MessageGetOpenOrders",
    "MessageGetPositions",
    "MessageHeartbeat",
    "MessageHello",
    "MessageLimitOrder",
    "MessageMarketOrder",
    "MessagePosition",
    "MessageQuote",
    "MessageReplay",
    "MessageRunChange",
    "MessageStatus",
    "MessageTrade",
    "TopicHead",
]
