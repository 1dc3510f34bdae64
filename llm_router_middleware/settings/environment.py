"""What is read from the environment itself: the two switches of every call, and the keys of the providers."""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import NamedTuple

from llm_router_middleware.errors import ConfigurationError
from llm_router_middleware.models.addresses import check_base_url, origin_of
from llm_router_middleware.models.providers import ProviderSpec, builtin_providers

__all__ = ["Credentials", "Switches", "credentials", "is_enabled", "present_keys", "switches"]

_OFF = frozenset({"0", "false", "no", "off", "f", "n"})
_KEYLESS = "unused"


class Switches(NamedTuple):
    """What can be switched while the program runs.

    Attributes:
        disabled: every call goes through as the caller wrote it.
        shadow: calls are decided and recorded, but go through as the caller wrote them.
    """

    disabled: bool = False
    shadow: bool = False


_BOTH_OFF = Switches()


def switches(environ: Mapping[str, str] = os.environ, default: Switches = _BOTH_OFF) -> Switches:
    """Reads `LLM_ROUTER_DISABLED` and `LLM_ROUTER_SHADOW`, anew on each call.

    A word that is neither yes nor no counts as yes: a misspelt kill switch still kills.

    Args:
        environ: where to read.
        default: what holds where a variable is not set.
    """
    disabled = environ.get("LLM_ROUTER_DISABLED")
    shadow = environ.get("LLM_ROUTER_SHADOW")
    if not disabled and not shadow:
        return default
    return Switches(
        default.disabled if not disabled else _is_on(disabled),
        default.shadow if not shadow else _is_on(shadow),
    )


def is_enabled(environ: Mapping[str, str] = os.environ) -> bool:
    """Reads `LLM_ROUTER_ENABLED`: whether the clients of the whole program are routed. Without it they are not.

    Args:
        environ: where to read.
    """
    asked = environ.get("LLM_ROUTER_ENABLED", "").strip()
    return bool(asked) and _is_on(asked)


def _is_on(text: str) -> bool:
    return text.strip().lower() not in _OFF


class Credentials:
    """A key and the one address that it may be sent to. Neither `repr` nor a pickle shows the key.

    Attributes:
        provider: whose it is.
        key: the key; a placeholder for a server that wants none, so that no SDK goes looking for one by itself.
        base_url: the address.
    """

    __slots__ = ("base_url", "key", "provider")

    def __init__(self, provider: str, key: str, base_url: str) -> None:
        self.provider = provider
        self.key = key
        self.base_url = base_url

    @property
    def origin(self) -> str:
        """Scheme, host and port of `base_url`."""
        return origin_of(self.base_url)

    def __repr__(self) -> str:
        return f"Credentials(provider={self.provider!r}, origin={self.origin!r}, key=...)"

    def __reduce__(self) -> str:
        raise TypeError("credentials are not pickled")


def credentials(spec: ProviderSpec, environ: Mapping[str, str] = os.environ) -> Credentials | None:
    """The key of a provider and the address it belongs to.

    Args:
        spec: the provider.
        environ: where to read.

    Returns:
        None when the provider wants a key and its variable is empty or not set.

    Raises:
        ConfigurationError: the key can't be one, or the SDK's own variable for the address holds one that is not safe.
            The message never shows the key.
    """
    key = _KEYLESS if spec.api_key_env is None else environ.get(spec.api_key_env, "").strip()
    if not key:
        return None
    if not key.isascii() or not key.isprintable():
        raise ConfigurationError(f"{spec.api_key_env} holds characters that no key has (its value is not shown)")
    return Credentials(spec.name, key, _base_url(spec, environ))


def _base_url(spec: ProviderSpec, environ: Mapping[str, str]) -> str:
    moved = environ.get(spec.base_url_env, "").strip() if spec.base_url_env else ""
    if not moved:
        return spec.base_url
    # Whoever sets the SDK's own variable has told the SDK itself to send this key there: his network is his to trust.
    check_base_url(str(spec.base_url_env), moved, trusted_network=True)
    return moved


def present_keys(
    environ: Mapping[str, str] = os.environ, specs: Mapping[str, ProviderSpec] | None = None
) -> tuple[str, ...]:
    """The providers that could be asked: those whose key is in the environment, and those that want none.

    Args:
        environ: where to read.
        specs: the providers by name; the built-in ones when None.
    """
    known = builtin_providers() if specs is None else specs
    return tuple(
        name for name, spec in known.items() if spec.api_key_env is None or environ.get(spec.api_key_env, "").strip()
    )
