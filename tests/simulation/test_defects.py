"""The deliberate defects still apply to the sources, and one of them is planted and caught."""

from pathlib import Path

import pytest
from planted import DEFECTS, Defect, edited, plant, seeds_needed


@pytest.mark.full
@pytest.mark.parametrize("defect", DEFECTS, ids=lambda defect: defect.name)
def test_each_defect_applies(defect: Defect) -> None:
    for edit in defect.edits:
        compile(edited(edit), edit.path, "exec")


@pytest.mark.full
@pytest.mark.timeout(300)
def test_a_planted_defect_is_caught(tmp_path: Path) -> None:
    plant(DEFECTS[0], tmp_path)
    needed, found = seeds_needed(tmp_path, start=0, seeds_max=50)
    assert needed
    assert "did not hold" in found
