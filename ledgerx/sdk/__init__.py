"""The trading client. Nothing is imported here: each module costs only what it needs.

A program subclasses `ledgerx.sdk.processor.MessageProcessor`, starts a `ledgerx.sdk.context.Context`
with it, and sends with `ledgerx.sdk.commands`.
"""

__all__: list[str] = []
