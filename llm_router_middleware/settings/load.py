"""The layers of the configuration: file, environment, arguments; the later over the earlier."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import takewhile
from pathlib import Path
from typing import Any, get_args

from pydantic import BaseModel, ValidationError
from pydantic_settings import EnvSettingsSource, SettingsError

from llm_router_middleware.errors import ConfigurationError
from llm_router_middleware.settings.problems import did_you_mean, explain_problems
from llm_router_middleware.settings.schema import RouterSettings

__all__ = ["allowed_keys", "load", "merged"]

_PREFIX = "LLM_ROUTER_"
_CONFIG = "LLM_ROUTER_CONFIG"
_FILE = "llm_router.toml"
_MAX_BYTES = 256 * 1024

_Path = tuple[str, ...]


def load(
    cls: type[RouterSettings],
    path: str | os.PathLike[str] | None,
    environ: Mapping[str, str],
    overrides: Mapping[str, Any],
) -> RouterSettings:
    """See `RouterSettings.load`."""
    file = _file(path, environ)
    ours, strangers = _sorted_out(environ)
    layers = (
        (str(file), _read(file) if file else {}),
        (_PREFIX, _from_environment(cls, ours)),
        ("argument", dict(overrides)),
    )
    origins = {key: label for label, values in layers for key in _paths(values)}
    try:
        settings = cls(**merged(values for _, values in layers))
    except ConfigurationError as error:
        if not isinstance(error.__context__, ValidationError):
            raise
        written = explain_problems(error.__context__, lambda key: _as_written(key, origins), allowed_keys)
        raise ConfigurationError(written) from None
    settings._origins = {key: _variable(key) if label == _PREFIX else label for key, label in origins.items()}
    settings._warnings = strangers
    return settings


def merged(layers: Iterable[Mapping[str, Any]]) -> dict[str, Any]:
    """One table of several: the later layers win, key by key inside of tables."""
    result: dict[str, Any] = {}
    for layer in layers:
        for key, value in layer.items():
            if isinstance(value, BaseModel):
                value = value.model_dump(exclude_unset=True)
            below = result.get(key)
            if isinstance(value, Mapping) and isinstance(below, Mapping):
                value = merged([below, value])
            result[key] = value
    return result


def allowed_keys(path: Sequence[str]) -> list[str]:
    """The keys that may stand in the table at a path of the configuration."""
    table: type[BaseModel] | None = RouterSettings
    for step in path:
        field = None if table is None else table.model_fields.get(step)
        # A step without a field is a key of a free table, or an index: the table stays the one that it holds.
        table = table if field is None else _table_in(field.annotation)
    return [] if table is None else list(table.model_fields)


def _table_in(annotation: Any) -> type[BaseModel] | None:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return annotation
    return next((table for part in get_args(annotation) if (table := _table_in(part)) is not None), None)


def _file(path: str | os.PathLike[str] | None, environ: Mapping[str, str]) -> Path | None:
    chosen = path if path is not None else environ.get(_CONFIG) or None
    if chosen is not None:
        return Path(chosen).expanduser()
    default = Path(_FILE)
    return default if default.is_file() else None


def _read(file: Path) -> dict[str, Any]:
    import tomllib

    try:
        with file.open("rb") as stream:
            raw = stream.read(_MAX_BYTES + 1)
        if len(raw) > _MAX_BYTES:
            raise ConfigurationError(f"{file}: more than {_MAX_BYTES // 1024} KiB: not a configuration of ours")
        return tomllib.loads(raw.decode("utf-8"))
    except OSError as error:
        raise ConfigurationError(f"{file}: {error.strerror or type(error).__name__}") from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError, RecursionError) as error:
        raise ConfigurationError(f"{file}: not valid TOML: {str(error)[:200] or type(error).__name__}") from None


def _sorted_out(environ: Mapping[str, str]) -> tuple[dict[str, str], tuple[str, ...]]:
    """Our variables that name a setting, and a warning for each that doesn't."""
    ours: dict[str, str] = {}
    strangers = []
    for name, value in environ.items():
        if not name.startswith(_PREFIX) or name == _CONFIG:
            continue
        if _names_a_setting(name):
            ours[name] = value
        else:
            hint = did_you_mean(name, (*_variables(), _CONFIG))
            strangers.append(f"{name} is not a setting{': ' + hint if hint else ''}")
    return ours, tuple(strangers)


def _names_a_setting(name: str) -> bool:
    first, *rest = name[len(_PREFIX) :].lower().split("__")
    if first not in RouterSettings.model_fields:
        return False
    if not rest or first in ("models", "providers"):
        return True
    return len(rest) == 1 and rest[0] in _section(first)


def _section(name: str) -> list[str]:
    table = _table_in(RouterSettings.model_fields[name].annotation)
    return [] if table is None else list(table.model_fields)


def _variables() -> list[str]:
    return [
        _variable(path)
        for name in RouterSettings.model_fields
        for path in [(name,), *((name, key) for key in ([] if name in ("models", "providers") else _section(name)))]
    ]


def _from_environment(cls: type[RouterSettings], ours: Mapping[str, str]) -> dict[str, Any]:
    source = EnvSettingsSource(cls)
    source.env_vars = {name.lower(): value for name, value in ours.items() if value.strip()}
    try:
        return source()
    except SettingsError as error:
        field = str(error).partition('"')[2].partition('"')[0]
        variable = _variable((field,))
        raise ConfigurationError(
            f"{variable}={ours.get(variable, '')[:80]!r}: expected a JSON table, or a variable per key: {variable}__..."
        ) from None


def _paths(values: Mapping[str, Any], above: _Path = ()) -> Iterator[_Path]:
    for key, value in values.items():
        path = (*above, str(key))
        yield path
        if isinstance(value, Mapping):
            yield from _paths(value, path)


def _variable(path: _Path) -> str:
    return _PREFIX + "__".join(path).upper()


def _as_written(path: _Path, origins: Mapping[_Path, str]) -> str:
    """A key in the words of whoever set it: a variable, a key of the file, an argument."""
    for end in range(len(path), 0, -1):
        label = origins.get(path[:end])
        if label == _PREFIX:
            return _variable(tuple(takewhile(lambda step: not step.isdigit(), path)))
        if label == "argument":
            break
        if label is not None:
            return f"{label}: {'.'.join(path)}"
    return ".".join(path)
