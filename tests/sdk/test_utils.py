"""The manual's tools: version modules, reraising, and metaclasses for singletons."""

from __future__ import annotations

import abc
import inspect
import sys
import threading
import traceback
from pathlib import Path
from typing import Any

import pytest

from ledgerx import errors
from ledgerx.api import client
from ledgerx.api.client import v0_0_1 as api
from ledgerx.sdk.utils import import_versions, reraise
from ledgerx.sdk.utils.meta import KindSingletonMeta, SingletonAbstractMeta


def test_version_modules_are_found_beside_a_file() -> None:
    assert client.__file__
    assert import_versions(client.__file__, client.__name__) == {"0.0.1": api}


def test_versions_come_in_the_order_of_their_numbers(tmp_path: Path) -> None:
    package = tmp_path / "versions_found"
    package.mkdir()
    for name in ("__init__", "v0_10_0", "v0_2_0", "v1_0_0", "v0_2_0_pb2", "v1", "av0_0_1", "other"):
        (package / f"{name}.py").write_text(f"NAME = {name!r}\n")
    sys.path.insert(0, str(tmp_path))
    try:
        found = import_versions(package / "__init__.py", "versions_found")
    finally:
        sys.path.remove(str(tmp_path))
    assert {version: module.NAME for version, module in found.items()} == {
        "0.2.0": "v0_2_0",
        "0.10.0": "v0_10_0",
        "1.0.0": "v1_0_0",
    }
    assert list(found) == ["0.2.0", "0.10.0", "1.0.0"]


def test_a_folder_that_is_not_there_is_refused(tmp_path: Path) -> None:
    with pytest.raises(errors.InvalidField, match="absent"):
        import_versions(tmp_path / "absent" / "__init__.py", "absent")


# --------------------------------------------------------------------------------------- reraise


class Replacement(Exception):
    """What the tests raise instead."""


def fails() -> None:
    raise ValueError("original text")


def replaced(ex: Any, message: str | None = None) -> Replacement:
    try:
        try:
            fails()
        except ValueError:
            reraise(ex, message)
    except Replacement as error:
        return error
    raise AssertionError("nothing was raised")


def test_the_replacement_keeps_traceback_cause_and_text() -> None:
    error = replaced(Replacement)
    assert str(error) == "original text"
    assert isinstance(error.__cause__, ValueError)
    assert "fails" in [frame.name for frame in traceback.extract_tb(error.__traceback__)]


def test_the_exception_being_handled_is_raised_as_it_is_and_causes_nothing() -> None:
    def fails_twice() -> None:
        try:
            fails()
        except ValueError as error:
            reraise(error)

    with pytest.raises(ValueError, match="original text") as caught:
        fails_twice()
    assert caught.value.__cause__ is None
    assert "fails" in [frame.name for frame in traceback.extract_tb(caught.value.__traceback__)]


def test_a_message_replaces_the_text() -> None:
    assert str(replaced(Replacement, "new text")) == "new text"
    assert str(replaced(Replacement, "")) == ""


def test_an_instance_is_raised_as_it_is_unless_there_is_a_message() -> None:
    instance = Replacement("own text")
    assert replaced(instance) is instance
    assert str(replaced(instance, "new text")) == "new text"


def test_without_an_exception_in_hand_the_replacement_is_raised_alone() -> None:
    with pytest.raises(Replacement) as caught:
        reraise(Replacement)
    assert caught.value.args == ()
    with pytest.raises(Replacement, match="text") as caught:
        reraise(Replacement, "text")
    assert caught.value.__cause__ is None


# ------------------------------------------------------------------------------------ singletons


def test_a_kind_has_one_instance_a_name() -> None:
    class Kind(metaclass=KindSingletonMeta):
        def __init__(self, value: int) -> None:
            self.value = value

    first = Kind(1)
    twin = KindSingletonMeta("Kind", (), {})

    class Other(Kind):
        pass

    assert Kind(2) is first
    assert first.value == 1
    assert twin() is first
    assert Other(3) is not first
    assert Other(4).value == 3


def test_an_abstract_singleton_has_one_instance_a_class() -> None:
    class Base(metaclass=SingletonAbstractMeta):
        @abc.abstractmethod
        def act(self) -> int: ...

    class One(Base):
        def act(self) -> int:
            return 1

    class Two(One):
        pass

    with pytest.raises(TypeError, match="act"):
        Base()
    assert One() is One()
    assert Two() is Two()
    assert Two() is not One()
    assert issubclass(SingletonAbstractMeta, abc.ABCMeta)


@pytest.mark.parametrize("meta", [KindSingletonMeta, SingletonAbstractMeta])
def test_a_constructor_that_fails_leaves_no_instance(meta: Any) -> None:
    class Picky(metaclass=meta):
        def __init__(self, value: int) -> None:
            self.half = 1 / value

    with pytest.raises(ZeroDivisionError):
        Picky(0)
    assert Picky(1).half == 1


@pytest.mark.parametrize("meta", [KindSingletonMeta, SingletonAbstractMeta])
def test_threads_that_call_at_once_get_one_instance(meta: Any) -> None:
    made: list[int] = []
    gate = threading.Barrier(8)

    class Raced(metaclass=meta):
        def __init__(self) -> None:
            made.append(1)

    def call() -> None:
        gate.wait()
        Raced()

    threads = [threading.Thread(target=call) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert made == [1]


@pytest.mark.parametrize("meta", [KindSingletonMeta, SingletonAbstractMeta])
def test_the_metaclasses_take_what_the_manual_says(meta: Any) -> None:
    assert list(inspect.signature(meta).parameters) == ["name", "bases", "attrs"]
