"""The ports a venue listens on unless told otherwise, and how one address names the others."""

from __future__ import annotations

from dataclasses import dataclass

from ledgerx.errors import InvalidAddress

__all__ = [
    "HTTP_PORT",
    "PUBLISH_PORT",
    "REQUEST_PORT",
    "STREAMING_PORT",
    "Address",
    "parse_host_port",
]

HTTP_PORT = 7810
REQUEST_PORT = 7811
PUBLISH_PORT = 7812
STREAMING_PORT = 3801


def parse_host_port(text: str) -> tuple[str, int | None]:
    """Split `HOST`, `HOST:PORT` or `[IPV6]:PORT`; the port is None where absent.

    Raises InvalidAddress.
    """
    if not isinstance(text, str) or not text or any(character.isspace() for character in text):
        raise InvalidAddress(f"host {text!r} is not a host name: give HOST or HOST:PORT")
    if "/" in text:
        raise InvalidAddress(f"host {text!r} is a URL or a path: give HOST or HOST:PORT alone")
    if text.startswith("["):
        host, bracket, rest = text[1:].partition("]")
        if not bracket or (rest and not rest.startswith(":")):
            raise InvalidAddress(f"host {text!r}: give an IPv6 address as [ADDRESS] or [ADDRESS]:PORT")
        port_text = rest[1:] if rest else None
    elif text.count(":") > 1:
        host, port_text = text, None
    else:
        host, colon, after = text.partition(":")
        port_text = after if colon else None
    if not host:
        raise InvalidAddress(f"host {text!r} has no host name before the port")
    return host, None if port_text is None else check_port(port_text, text)


def check_port(port: str | int, where: object = "") -> int:
    """The port as an integer from 1 to 65535, or InvalidAddress naming it and `where` it stood."""
    try:
        number = int(port)
    except (TypeError, ValueError):
        number = 0
    if isinstance(port, bool) or not 1 <= number <= 65535:
        raise InvalidAddress(f"port {port!r} in {where or port!r} is not a number from 1 to 65535")
    return number


@dataclass(frozen=True, slots=True)
class Address:
    """Where a venue's trading surfaces are."""

    host: str
    request_port: int
    publish_port: int
    http_port: int

    @classmethod
    def of(
        cls,
        fqdn: str,
        request_port: int | None = None,
        publish_port: int | None = None,
        http_port: int | None = None,
    ) -> Address:
        """From a host that may carry the request port; the others are its neighbours unless given.

        `127.0.0.1:17811` publishes on 17812 and serves HTTP on 17810. Raises InvalidAddress.
        """
        host, port = parse_host_port(fqdn)
        base = check_port(request_port, "request_port") if request_port is not None else port
        base = REQUEST_PORT if base is None else base
        publish = base + 1 if publish_port is None else publish_port
        http = base - 1 if http_port is None else http_port
        return cls(host, base, check_port(publish, "publish_port"), check_port(http, "http_port"))

    def endpoint(self, port: int) -> str:
        """The ZeroMQ endpoint of one port."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"tcp://{host}:{port}"
