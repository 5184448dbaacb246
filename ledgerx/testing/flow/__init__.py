"""A recorded market day as live traders: rows in, commands out, and what came of them.

`planner` turns the rows of a LOBSTER file into the steps of a house and some traders, `schedule` gathers
the steps into waves that may travel together, `runner` sends the waves through the public SDK, `tally`
compares the venue's reports with the recording.
"""

from __future__ import annotations

__all__: list[str] = []
