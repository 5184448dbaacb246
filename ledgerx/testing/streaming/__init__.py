"""Traders with streaming sessions that are killed at random moments, and what must hold afterwards."""

__all__: list[str] = []
