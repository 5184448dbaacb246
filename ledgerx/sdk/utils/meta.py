"""Metaclass patterns: two kinds of singleton (manual, "Metaclass Patterns")."""

from __future__ import annotations

import abc
import threading
from typing import Any, ClassVar

__all__ = ["KindSingletonMeta", "SingletonAbstractMeta"]


class KindSingletonMeta(type):
    """Makes one instance a class name.

    The name is the unique constraint: two classes of one name, wherever they are defined, have one
    instance together, that of the class first called; a subclass of another name has its own. The
    arguments of later calls are ignored. Safe to call from any thread.
    """

    _instances: ClassVar[dict[str, Any]] = {}
    _lock: ClassVar[threading.RLock] = threading.RLock()

    def __new__(mcs, name: str, bases: tuple[type, ...], attrs: dict[str, Any]) -> KindSingletonMeta:
        """A class statement's arguments, as `type` takes them."""
        return super().__new__(mcs, name, bases, attrs)

    def __call__(cls, *args: Any, **kwargs: Any) -> Any:
        """The instance of the class's name, made by the first call."""
        with KindSingletonMeta._lock:
            if cls.__name__ not in KindSingletonMeta._instances:
                KindSingletonMeta._instances[cls.__name__] = super().__call__(*args, **kwargs)
            return KindSingletonMeta._instances[cls.__name__]


class SingletonAbstractMeta(abc.ABCMeta):
    """Makes one instance a class, of classes that may have abstract methods.

    A class with abstract methods left raises TypeError as any abstract class does; a subclass has its
    own instance. The arguments of later calls are ignored. Safe to call from any thread.
    """

    _lock: ClassVar[threading.RLock] = threading.RLock()

    def __new__(mcs, name: str, bases: tuple[type, ...], attrs: dict[str, Any]) -> SingletonAbstractMeta:
        """A class statement's arguments, as `type` takes them."""
        return super().__new__(mcs, name, bases, attrs)

    def __call__(cls, *args: Any, **kwargs: Any) -> Any:
        """The class's instance, made by the first call."""
        with SingletonAbstractMeta._lock:
            if "_singleton" not in cls.__dict__:
                cls._singleton = super().__call__(*args, **kwargs)
            return cls._singleton
