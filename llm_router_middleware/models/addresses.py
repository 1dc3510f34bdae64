"""Where keys and prompts may be sent: https, or this machine, unless the user vouches for the network."""

from __future__ import annotations

import ipaddress
import re
from urllib.parse import SplitResult, urlsplit

from llm_router_middleware.errors import ConfigurationError

__all__ = ["check_base_url", "origin_of"]

_ENDS_IN_A_NUMBER = re.compile(r"(?:^|\.)(?:\d+|0[xX][0-9a-fA-F]*)\.?$")


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
        raise ConfigurationError(
            f"{key}={shown!r}: plain http would show keys and prompts to the network: use https, "
            "a loopback address, or trusted_network = true"
        )
    if private:
        raise ConfigurationError(f"{key}={shown!r}: a private address needs trusted_network = true")


def _parse(key: str, url: str) -> tuple[str, SplitResult]:
    try:
        parts = urlsplit(url if isinstance(url, str) else "//[")
        _ = parts.port
    except ValueError:
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
        # Resolvers take "2130706433" and "0x7f.1" for addresses; whoever writes one has something to hide.
        return False, _ENDS_IN_A_NUMBER.search(host) is not None
    mapped = getattr(address, "ipv4_mapped", None)
    address = mapped or address
    return address.is_loopback, not address.is_global
