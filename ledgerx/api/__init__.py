"""The schemas of the protocols, one package a protocol."""

__all__: list[str] = []
