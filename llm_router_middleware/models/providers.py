"""Who answers: a provider's dialect, its address, and the names of the variables that hold its key.

A credential belongs to one provider and origin: the key variable of a built-in provider can't be declared for another.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, fields, replace
from difflib import get_close_matches
from functools import lru_cache
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Literal, get_args

from llm_router_middleware.errors import ConfigurationError
from llm_router_middleware.models.addresses import check_base_url, origin_of
from llm_router_middleware.models.catalog import read_data

if TYPE_CHECKING:
    from llm_router_middleware.engine.call import Wire

__all__ = ["ProviderSpec", "builtin_providers", "provider_specs"]

Sdk = Literal["openai", "anthropic", "groq"]

_NAME = re.compile(r"[a-z][a-z0-9_-]{0,31}")
_VARIABLE = re.compile(r"[A-Z][A-Z0-9_]{0,63}")
_WIRES: dict[str, Sdk] = {
    "openai_chat": "openai",
    "groq_chat": "groq",
    "openai_responses": "openai",
    "anthropic_messages": "anthropic",
}


@dataclass(frozen=True, slots=True)
class ProviderSpec:
    """A provider.

    Attributes:
        name: as in `ModelSpec.provider`.
        wire: the dialect it speaks.
        base_url: where it answers.
        api_key_env: the name of the variable that holds its key; None for a server that wants none.
        sdk: whose client class is used to ask it.
        base_url_env: the variable from which that SDK reads another address; None for declared providers.
        trusted_network: plain http and private addresses are allowed, because the user vouches for the network.
    """

    name: str
    wire: Wire
    base_url: str
    api_key_env: str | None = None
    sdk: Sdk = "openai"
    base_url_env: str | None = None
    trusted_network: bool = False

    def __post_init__(self) -> None:
        where = f"providers.{self.name}" if _NAME.fullmatch(str(self.name)) else "providers"
        if where == "providers":
            raise ConfigurationError(f"providers: {self.name!r}: a name is 1 to 32 of a-z, 0-9, '_', '-'")
        _one_of(f"{where}.wire", self.wire, tuple(_WIRES))
        _one_of(f"{where}.sdk", self.sdk, get_args(Sdk))
        if not isinstance(self.trusted_network, bool):
            raise ConfigurationError(f"{where}.trusted_network={self.trusted_network!r}: expected true or false")
        if self.api_key_env is not None and not _VARIABLE.fullmatch(str(self.api_key_env)):
            # Not echoed: what stands there by mistake is likely a key.
            raise ConfigurationError(
                f"{where}.api_key_env: expected the name of an environment variable, such as "
                f"{self.name.upper().replace('-', '_')}_API_KEY, never a key itself"
            )
        check_base_url(f"{where}.base_url", self.base_url, trusted_network=self.trusted_network)

    @property
    def origin(self) -> str:
        """Scheme, host and port of `base_url`."""
        return origin_of(self.base_url)


@lru_cache(maxsize=1)
def builtin_providers() -> Mapping[str, ProviderSpec]:
    """The providers of providers.toml, by name."""
    return MappingProxyType({name: ProviderSpec(name=name, **row) for name, row in read_data("providers.toml").items()})


def provider_specs(tables: Mapping[str, Mapping[str, Any]]) -> Mapping[str, ProviderSpec]:
    """The built-in providers and the declared ones, by name.

    Args:
        tables: per provider the fields of `ProviderSpec`. For a built-in one, what stands here replaces what ships; one
            that moves to another origin must name its own `api_key_env`.

    Raises:
        ConfigurationError: an unknown key, a bad value, or a key that would reach another origin.
    """
    specs = dict(builtin_providers())
    for name, table in tables.items():
        specs[name] = _declared(name, table)
    return MappingProxyType(specs)


def _declared(name: str, table: Mapping[str, Any]) -> ProviderSpec:
    _no_unknown_keys(name, table)
    base = builtin_providers().get(name)
    if base is None:
        if "base_url" not in table:
            raise ConfigurationError(f"providers.{name}.base_url is missing: where does it answer?")
        wire = table.get("wire", "openai_chat")
        spec = ProviderSpec(name, **{"wire": wire, "sdk": _WIRES.get(wire, "openai"), **table})
    else:
        spec = replace(base, **table)
        if spec.origin != base.origin:
            if "api_key_env" not in table:
                raise ConfigurationError(
                    f"providers.{name}.base_url={spec.base_url!r}: another origin needs its own api_key_env; "
                    f"{base.api_key_env} is only sent to {base.origin}"
                )
            spec = replace(spec, base_url_env=None)
    _guard_keys(spec)
    return spec


def _guard_keys(spec: ProviderSpec) -> None:
    for other in builtin_providers().values():
        if spec.api_key_env == other.api_key_env and spec.origin != other.origin:
            raise ConfigurationError(
                f"providers.{spec.name}.api_key_env={spec.api_key_env!r}: this key belongs to {other.origin} and "
                f"is not sent to {spec.origin}; use a variable of its own"
            )


def _no_unknown_keys(name: str, table: Mapping[str, Any]) -> None:
    known = [f.name for f in fields(ProviderSpec) if f.name not in ("name", "base_url_env")]
    for key in table:
        if key not in known:
            close = get_close_matches(key, known, n=1)
            hint = f"did you mean {close[0]!r}?" if close else f"expected one of {', '.join(known)}"
            raise ConfigurationError(f"providers.{name}.{key} is not a setting: {hint}")


def _one_of(key: str, value: object, allowed: tuple[str, ...]) -> None:
    if value not in allowed:
        raise ConfigurationError(f"{key}={value!r}: expected one of {', '.join(allowed)}")
