"""One HTTP client per backend, and the addresses made from the backend's own."""

from __future__ import annotations

import ipaddress
import ssl

import httpx
import truststore

from core.client.errors import ProtocolError

_TIMEOUT = httpx.Timeout(10.0, connect=5.0)
_MAX_PORT = 65535
_LIMITS = httpx.Limits(max_connections=10, max_keepalive_connections=5)


def tls_context() -> ssl.SSLContext:
    """The trust store of the operating system; made at once, where httpx's own costs 100 ms."""
    return truststore.SSLContext(ssl.PROTOCOL_TLS_CLIENT)


def parse_base_url(text: str) -> httpx.URL:
    """The address of a backend as a person types it. Raises ProtocolError.

    Plain http is only for this computer itself.
    """
    try:
        url = httpx.URL(text.strip().rstrip("/"))
    except httpx.InvalidURL as error:
        raise ProtocolError("This is not the address of a backend.") from error
    if url.scheme not in {"http", "https"} or not url.host or url.userinfo or url.query:
        raise ProtocolError("An address looks like https://bursar.example.org.")
    if url.port is not None and url.port > _MAX_PORT:
        raise ProtocolError(f"A port in an address is at most {_MAX_PORT}.")
    if url.scheme == "http" and not is_loopback(url):
        raise ProtocolError("Only https addresses are safe for this: write https:// in front.")
    return url


def is_loopback(url: httpx.URL) -> bool:
    """Whether the address is this computer's own."""
    if url.host == "localhost":
        return True
    try:
        return ipaddress.ip_address(url.host).is_loopback
    except ValueError:
        return False


def live_url(base: httpx.URL) -> str:
    """The websocket address beside a backend's HTTP address."""
    scheme = "wss" if base.scheme == "https" else "ws"
    return str(base.copy_with(scheme=scheme, path=f"{base.path.rstrip('/')}/live"))


def open_http(base_url: str) -> httpx.AsyncClient:
    """A client for one backend. Close it with `aclose`. Raises ProtocolError for a bad address."""
    url = parse_base_url(base_url)
    # A proxy of the surroundings has no business with this computer's own backend.
    return httpx.AsyncClient(
        base_url=url,
        verify=tls_context(),
        timeout=_TIMEOUT,
        limits=_LIMITS,
        trust_env=not is_loopback(url),
        headers={"Accept": "application/json, application/problem+json"},
    )
