"""An engine's settings as its runtime takes them: those of the code, those of a file, checked."""

from __future__ import annotations

import dataclasses
import json
import tomllib
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from ledgerx.errors import OrderflowArgError, OrderflowStateError
from ledgerx.orderflow.types import DELTA_MOMENTUM, PRICE_MOMENTUM, EngineConfig, ExternalFeedPolicy

__all__ = ["beyond_the_manual", "refuse_beyond", "runtime_settings"]

Settings = EngineConfig | ExternalFeedPolicy | SimpleNamespace

SIGNAL_MODULES = {DELTA_MOMENTUM: 0, PRICE_MOMENTUM: 1}
FILE_NAMES = {"audit_log_path": "audit_path"}  # a file's name for a field
AT_LEAST_ONE = (
    "signal_threshold",
    "momentum_fast_trades",
    "momentum_slow_trades",
    "momentum_threshold_bps",
    "candles_kept_max",
    "vpin_buckets",
)


def runtime_settings(config: EngineConfig) -> SimpleNamespace:
    """Every setting by its field's name, and `signal_module_number`.

    Raises OrderflowArgError for a file that is missing, is neither TOML nor JSON, or names what no engine
    has; for a setting out of range; TypeError for one of another type.
    """
    fields = {field.name: field for field in dataclasses.fields(EngineConfig)}
    values = {name: getattr(config, name) for name in fields}
    if config.config_path:
        for name, value in read_file(Path(config.config_path)).items():
            if values[name] == fields[name].default:
                values[name] = value
    for name, value in values.items():
        check_type(name, value, fields[name].default)
    for name in AT_LEAST_ONE:
        if values[name] < 1:
            raise OrderflowArgError(f"{name} {values[name]} is out of range: it takes 1 or more")
    if values["signal_module"] not in SIGNAL_MODULES:
        known = " or ".join(SIGNAL_MODULES)
        raise OrderflowArgError(f"signal_module {values['signal_module']!r} is unknown: use {known}")
    if values["momentum_fast_trades"] >= values["momentum_slow_trades"]:
        raise OrderflowArgError(
            f"momentum_fast_trades {values['momentum_fast_trades']} must be below "
            f"momentum_slow_trades {values['momentum_slow_trades']}"
        )
    return SimpleNamespace(**values, signal_module_number=SIGNAL_MODULES[values["signal_module"]])


def check_type(name: str, value: object, default: object) -> None:
    """Raise TypeError unless the value has the default's type; a bool is no int here."""
    wanted = type(default)
    if not isinstance(value, wanted) or (wanted is int and isinstance(value, bool)):
        raise TypeError(f"{name} must be {wanted.__name__}, not {type(value).__name__}")


def read_file(path: Path) -> dict[str, Any]:
    """A settings file's values by field; a name ending in .json is JSON, any other TOML."""
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise OrderflowArgError(f"config_path {str(path)!r} cannot be read: {error}") from error
    try:
        found = json.loads(text) if path.suffix == ".json" else tomllib.loads(text)
    except (json.JSONDecodeError, tomllib.TOMLDecodeError) as error:
        raise OrderflowArgError(f"config_path {str(path)!r} is not well formed: {error}") from error
    if not isinstance(found, dict):
        raise OrderflowArgError(f"config_path {str(path)!r} must hold a table of settings")
    fields = {field.name: field.default for field in dataclasses.fields(EngineConfig)}
    values = {FILE_NAMES.get(name, name): value for name, value in found.items()}
    for name, value in values.items():
        if name not in fields or name == "config_path":
            raise OrderflowArgError(f"config_path {str(path)!r}: {name} is no setting of an engine")
        try:
            check_type(name, value, fields[name])
        except TypeError as error:
            raise OrderflowArgError(f"config_path {str(path)!r}: {error}") from error
    return values


def beyond_the_manual(
    settings: EngineConfig | ExternalFeedPolicy | SimpleNamespace, like: type[Any]
) -> list[str]:
    """The keyword-only settings of `like` that have not their default: only our own runtime knows them."""
    beyond = [field for field in dataclasses.fields(like) if field.kw_only]
    return [field.name for field in beyond if getattr(settings, field.name) != field.default]


def refuse_beyond(settings: Settings, like: type[Any], build: str) -> None:
    """Raise OrderflowStateError naming the first setting that a foreign runtime cannot follow."""
    for name in beyond_the_manual(settings, like):
        raise OrderflowStateError(f"{name} needs ledgerx's own runtime: the library in use is {build}")
