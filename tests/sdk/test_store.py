"""Memory stores: mappings, shared with forked processes if asked, and the items they keep."""

from __future__ import annotations

import inspect
import multiprocessing
import os
import threading
from collections.abc import MutableMapping
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ledgerx import errors
from ledgerx.api.client import v0_0_1 as api
from ledgerx.sdk.store import IDStoreItem, MemoryStore, MessageIDStore

FORK = multiprocessing.get_context("fork")


@pytest.fixture(params=[False, True], ids=["alone", "shared"])
def store(request: pytest.FixtureRequest) -> MemoryStore[Any, Any]:
    return MemoryStore(shared=request.param)


def test_a_store_is_a_mapping(store: MemoryStore[Any, Any]) -> None:
    assert isinstance(store, MutableMapping)
    store["a"] = 1
    store.update(b=2, c=3)
    assert dict(store) == {"a": 1, "b": 2, "c": 3}
    assert ("a" in store, "z" in store, len(store)) == (True, False, 3)
    assert store == {"a": 1, "b": 2, "c": 3}
    assert store.pop("a") == 1
    assert store.pop("a", None) is None
    assert store.setdefault("b", 9) == 2
    assert store.setdefault("d", 4) == 4
    del store["b"]
    assert sorted(store) == ["c", "d"]
    store.clear()
    assert not store


def test_a_missing_key_raises_key_error(store: MemoryStore[Any, Any]) -> None:
    for act in (lambda: store["absent"], lambda: store.pop("absent"), lambda: store.__delitem__("absent")):
        with pytest.raises(KeyError):
            act()


def test_a_loop_may_change_the_store_it_runs_over(store: MemoryStore[Any, Any]) -> None:
    store.update({number: number for number in range(5)})
    for key in store:
        del store[key]
    assert len(store) == 0


def test_a_loop_over_values_or_pairs_may_change_the_store_too(store: MemoryStore[Any, Any]) -> None:
    store.update({number: -number for number in range(3)})
    values, pairs = iter(store.values()), iter(store.items())
    store.clear()
    assert list(values) == [0, -1, -2]
    assert list(pairs) == [(0, 0), (1, -1), (2, -2)]
    assert (-1 in store.values(), (1, -1) in store.items(), len(store.values())) == (False, False, 0)


@given(st.lists(st.tuples(st.integers(0, 5), st.integers() | st.none())))
def test_a_store_behaves_as_a_dict_does(steps: list[tuple[int, int | None]]) -> None:
    model: dict[int, int] = {}
    ours: MemoryStore[int, int] = MemoryStore()
    for key, value in steps:
        if value is None:
            assert ours.pop(key, None) == model.pop(key, None)
        else:
            ours[key] = model[key] = value
    assert dict(ours) == model
    assert list(ours) == list(model)


def write(store: MemoryStore[str, Any]) -> None:
    store["child"] = store["parent"]


@pytest.mark.parametrize(("shared", "expected"), [(True, True), (False, False)])
def test_a_forked_process_sees_and_changes_a_shared_store_alone(shared: bool, expected: bool) -> None:
    store: MemoryStore[str, Any] = MemoryStore(shared=shared)
    assert store.shared is shared
    order = api.MessageLimitOrder(mid="1", size=3)
    store["parent"] = order
    child = FORK.Process(target=write, args=(store,))
    child.start()
    child.join()
    assert child.exitcode == 0
    assert ("child" in store) is expected
    if expected:
        assert store["child"] == order


def test_children_of_os_fork_and_their_parent_use_a_shared_store_at_once() -> None:
    store: MemoryStore[str, int] = MemoryStore(shared=True)
    store["before"] = 0  # the parent's connection stands when the children begin
    children = []
    for number in range(3):
        child = os.fork()
        if not child:
            os._exit(0 if counts(store, f"child {number}") else 1)
        children.append(child)
    assert counts(store, "parent")
    assert [os.waitpid(child, 0)[1] for child in children] == [0, 0, 0]
    assert len(store) == 401


def counts(store: MemoryStore[str, int], name: str) -> bool:
    """Whether a store gives back each of a hundred numbers."""
    try:
        for number in range(100):
            store[f"{name} {number}"] = number
            if store[f"{name} {number}"] != number:
                return False
    except errors.Error:
        return False
    return True


def test_what_cannot_be_pickled_is_refused_by_a_shared_store() -> None:
    store: MemoryStore[str, Any] = MemoryStore(shared=True)
    with pytest.raises(errors.InvalidField, match="pickled"):
        store["callback"] = lambda: None
    assert "callback" not in store


def test_a_shared_store_whose_process_ended_says_so() -> None:
    store: MemoryStore[str, int] = MemoryStore(shared=True)
    store._manager.shutdown()
    with pytest.raises(errors.InvalidState, match="ended"):
        store["a"] = 1


def test_repr_tells_size_and_kind(store: MemoryStore[Any, Any]) -> None:
    store["a"] = 1
    assert repr(store).startswith("<MemoryStore of 1")
    assert ("shared" in repr(store)) is store.shared


# ----------------------------------------------------------------------------------------- items


def test_an_item_holds_message_and_callback() -> None:
    order, calls = api.MessageLimitOrder(mid="1"), []
    item = IDStoreItem(order, lambda msg, prev_msg: calls.append((msg, prev_msg)))
    item.callback("answer", "before")
    assert item.msg is order
    assert calls == [("answer", "before")]
    item.msg = None
    assert item.msg is None


def test_an_item_without_callback_does_nothing_when_called() -> None:
    item = IDStoreItem()
    assert item.msg is None
    assert item.callback("answer", None) is None


def test_the_default_callback_shows_as_the_manual_has_it() -> None:
    default = inspect.signature(IDStoreItem).parameters["cb"].default
    assert repr(default).startswith("<function IDStoreItem.<lambda> at ")


def test_setting_a_callback_tells_a_subclass() -> None:
    class Watched(IDStoreItem):
        told = 0

        def _callback_changed(self) -> None:
            self.told += 1

    item = Watched()
    assert item.told == 0
    item.callback = print
    assert (item.told, item.callback) == (1, print)


@pytest.mark.parametrize("thing", [None, 7, "print"])
def test_what_cannot_be_called_is_no_callback(thing: Any) -> None:
    item = IDStoreItem()
    with pytest.raises(errors.InvalidField, match="callback"):
        item.callback = thing
    with pytest.raises(errors.InvalidField, match="callback"):
        IDStoreItem(cb=thing)


def test_repr_of_an_item_names_kind_and_mid() -> None:
    assert repr(IDStoreItem()) == "<IDStoreItem empty>"
    assert repr(IDStoreItem(api.MessageLimitOrder(mid="ab"))) == "<IDStoreItem MessageLimitOrder ab>"


def test_a_message_id_store_keeps_items_alone() -> None:
    store = MessageIDStore()
    item = store["ab"] = IDStoreItem()
    assert store["ab"] is item
    assert store.setdefault("ab", IDStoreItem()) is item
    for thing in (None, api.MessageLimitOrder(), "item"):
        with pytest.raises(errors.InvalidField):
            store["cd"] = thing  # type: ignore[assignment]
        with pytest.raises(errors.InvalidField):
            store.setdefault("cd", thing)
    assert list(store) == ["ab"]


def test_a_message_id_store_bears_threads() -> None:
    store, failures = MessageIDStore(), []

    def work(number: int) -> None:
        try:
            for step in range(300):
                mid = f"{number}-{step}"
                store[mid] = IDStoreItem()
                assert mid in list(store)
                store.pop(mid)
        except Exception as error:
            failures.append(error)

    threads = [threading.Thread(target=work, args=(number,)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failures == []
    assert len(store) == 0
