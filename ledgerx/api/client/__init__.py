"""The trading protocol: one module a version, holding the message classes people import."""

__all__: list[str] = []
