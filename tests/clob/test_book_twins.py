"""The C book does what its plain-Python twin does, step for step: 1,000 sequences of 200 steps."""

from __future__ import annotations

import pytest
from book_twins import RULES, Twins, UnwatchedTwins
from hypothesis import settings

# The initialisation counts as a rule.
TestTheTwinsAgree = Twins.TestCase
TestTheTwinsAgree.pytestmark = [
    pytest.mark.no_cover,
    pytest.mark.timeout(600),
]  # half a minute on an idle machine
TestTheTwinsAgree.settings = settings(max_examples=1000, stateful_step_count=RULES + 1, deadline=None)

# What a call owes to the next one is seen where nothing looks between them.
TestTheTwinsAgreeUnwatched = UnwatchedTwins.TestCase
TestTheTwinsAgreeUnwatched.pytestmark = TestTheTwinsAgree.pytestmark
TestTheTwinsAgreeUnwatched.settings = settings(max_examples=300, stateful_step_count=RULES + 1, deadline=None)
