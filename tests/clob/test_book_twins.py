"""The C book does what its plain-Python twin does, step for step: 1,000 sequences of 200 steps."""

from __future__ import annotations

from book_twins import RULES, Twins
from hypothesis import settings

# The initialisation counts as a rule.
TestTheTwinsAgree = Twins.TestCase
TestTheTwinsAgree.settings = settings(max_examples=1000, stateful_step_count=RULES + 1, deadline=None)
