"""Trading programs with durable stores that are killed at random moments, and what must hold afterwards."""

from ledgerx.testing.recovery.check import RecoveryResult
from ledgerx.testing.recovery.rounds import run_recovery

__all__ = ["RecoveryResult", "run_recovery"]
