"""The error tree: the drawing, the classes and what is offered are one and the same."""

from __future__ import annotations

import inspect
import pickle
import re

import pytest

from ledgerx import errors

CLASSES = {
    name: value
    for name, value in vars(errors).items()
    if inspect.isclass(value) and value.__module__ == errors.__name__
}


def drawn_tree() -> tuple[dict[str, str], dict[str, set[str]]]:
    """Each drawn class's parent, and the builtins that its note says it also is."""
    parents: dict[str, str] = {}
    builtins: dict[str, set[str]] = {}
    stack = ["Error"]
    last = ""
    for line in (errors.__doc__ or "").splitlines():
        match = re.match(r"^    ((?:│   |    )*)[├└]── (\w+)\s*(.*)$", line)
        if match is None:
            if last and re.match(r"^[ │]+\(also ", line):
                builtins[last] |= set(re.findall(r"[A-Z]\w+", line))
            continue
        depth, last = len(match[1]) // 4 + 1, match[2]
        parents[last] = stack[depth - 1]
        stack[depth:] = [last]
        note = re.search(r"\(also ([^)]*)\)", match[3])
        builtins[last] = set(re.findall(r"[A-Z]\w+", note[1])) if note else set()
    return parents, builtins


PARENTS, BUILTINS = drawn_tree()


def test_the_drawing_shows_every_class_and_no_other() -> None:
    assert set(PARENTS) | {"Error"} == set(CLASSES)


@pytest.mark.parametrize("name", PARENTS)
def test_the_drawing_shows_each_class_below_its_base(name: str) -> None:
    ours = [base for base in CLASSES[name].__bases__ if base.__module__ == errors.__name__]
    assert [base.__name__ for base in ours] == [PARENTS[name]]


@pytest.mark.parametrize("name", PARENTS)
def test_the_drawing_says_which_builtins_a_class_also_is(name: str) -> None:
    foreign = {base.__name__ for base in CLASSES[name].__bases__ if base.__module__ == "builtins"}
    assert foreign == BUILTINS[name]


def test_everything_is_offered_by_name() -> None:
    assert sorted(CLASSES) == errors.__all__


def test_every_error_is_of_one_of_three_kinds() -> None:
    kinds = (errors.Retryable, errors.Fatal, errors.OutcomeUnknown)
    for name in set(CLASSES) - {"Error"}:
        assert sum(issubclass(CLASSES[name], kind) for kind in kinds) == 1, name


def test_typed_fields_say_what_was_wrong() -> None:
    field = errors.InvalidField("size cannot be -1", field="size", value=-1)
    assert (field.field, field.value, str(field)) == ("size", -1, "size cannot be -1")
    assert errors.JournalCorrupt("damaged", position=7).position == 7
    assert errors.JournalDiverged("differs", number=8).number == 8
    assert errors.PortTaken("in use", port=9).port == 9
    data = errors.InvalidData("no number", file="day.csv", row=9, field="price")
    assert (data.file, data.row, data.field) == ("day.csv", 9, "price")


def test_a_missing_extra_says_how_to_install_it() -> None:
    error = errors.MissingExtra("exchange", "the venue's HTTP front")
    assert error.extra == "exchange"
    assert "pip install 'ledgerx-python[exchange]'" in str(error)


def test_a_missing_order_reads_as_a_sentence_though_it_is_a_key_error() -> None:
    error = errors.UnknownOrder("no order 7")
    assert isinstance(error, KeyError)
    assert str(error) == "no order 7"


@pytest.mark.parametrize("name", sorted(CLASSES))
def test_every_class_says_what_it_means(name: str) -> None:
    assert CLASSES[name].__doc__


@pytest.mark.parametrize("name", [name for name in sorted(CLASSES) if "__init__" not in vars(CLASSES[name])])
def test_plain_errors_can_be_sent_to_another_process(name: str) -> None:
    error = CLASSES[name]("sentence")
    assert str(pickle.loads(pickle.dumps(error))) == "sentence"
