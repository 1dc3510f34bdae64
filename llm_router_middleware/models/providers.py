"""Who answers: a provider's dialect, its address, and the names of the variables that hold its key.

A credential belongs to one provider and origin: a key variable of a built-in provider can't be declared for another one.
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Mapping
from dataclasses import dataclass, fields, replace
from difflib import get_close_matches
from functools import lru_cache
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Literal, get_args
from urllib.parse import urlsplit

from llm_router_middleware.errors import ConfigurationError
from llm_router_middleware.models.catalog import read_data

if TYPE_CHECKING:
    from llm_router_middleware.engine.call import Wire

__all__ = ["ProviderSpec", "builtin_providers", "check_base_url", "origin_of", "provider_specs"]

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
        if self.api_key_env is not None and not _VARIABLE.fullmatch(self.api_key_env):
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
                f"providers.{spec.name}.api_key_env={spec.api_key_env!r}: this key belongs to {other.origin} and is not "
                f"sent to {spec.origin}; use a variable of its own"
            )


def _no_unknown_keys(name: str, table: Mapping[str, Any]) -> None:
    known = [f.name for f in fields(ProviderSpec) if f.name not in ("name", "base_url_env")]
    for key in table:
        if key not in known:
            close = get_close_matches(key, known, n=1)
            hint = f"did you mean {close[0]!r}?" if close else f"expected one of {', '.join(known)}"
            raise ConfigurationError(f"providers.{name}.{key} is not a setting: {hint}")


def origin_of(url: str) -> str:
    """Scheme, host and port of an address; the port is written out only when it isn't the scheme's own."""
    parts = urlsplit(url)
    port = "" if parts.port in (None, {"https": 443, "http": 80}.get(parts.scheme)) else f":{parts.port}"
    host = parts.hostname or ""
    return f"{parts.scheme}://{f'[{host}]' if ':' in host else host}{port}"


def check_base_url(key: str, url: str, *, trusted_network: bool = False) -> None:
    """Refuses an address that would send keys or prompts where nobody meant them to go.

    Args:
        key: the setting it stands in, for the message.
        url: the address.
        trusted_network: allow plain http and private addresses.

    Raises:
        ConfigurationError: not http(s), user info, no host, plain http off loopback, a private or link-local address.
    """
    shown, parts = _parse(key, url)
    loopback, private = _place_of(parts.hostname or "")
    if loopback or trusted_network:
        return
    if parts.scheme == "http":
        raise ConfigurationError(f"{key}={shown!r}: plain http would show keys and prompts to the network: use https, "
                                 "a loopback address, or trusted_network = true")
    if private:
        raise ConfigurationError(f"{key}={shown!r}: a private address needs trusted_network = true")


def _parse(key: str, url: str) -> tuple[str, Any]:
    try:
        parts = urlsplit(url)
        _ = parts.port
    except (ValueError, TypeError, AttributeError):
        raise ConfigurationError(f"{key}: not an address; expected https://host/path") from None
    if parts.username is not None or parts.password is not None:
        # Not echoed: user info is a credential.
        raise ConfigurationError(f"{key}: user info in an address is not allowed; name a variable in api_key_env")
    shown = url[:128]
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise ConfigurationError(f"{key}={shown!r}: expected https://host/path")
    if any(c.isspace() or not c.isprintable() for c in url) or "\\" in url or parts.query or parts.fragment:
        raise ConfigurationError(f"{key}={shown!r}: blanks, control characters, backslashes, ? and # are not allowed")
    return shown, parts


def _place_of(host: str) -> tuple[bool, bool]:
    """Whether a host is this machine, and whether it is an address that the public network doesn't route."""
    if host == "localhost" or host.endswith(".localhost"):
        return True, False
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        return False, False
    mapped = getattr(address, "ipv4_mapped", None)
    address = mapped or address
    return address.is_loopback, not address.is_global


def _one_of(key: str, value: object, allowed: tuple[str, ...]) -> None:
    if value not in allowed:
        raise ConfigurationError(f"{key}={value!r}: expected one of {', '.join(allowed)}")
