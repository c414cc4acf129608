"""Where the hub's broker is: `mqtt://host:port` or `mqtts://host:port` from the adopter's secrets."""

_PORTS = {"mqtt": 1883, "mqtts": 8883}


def parse(text: str) -> tuple[str, int, bool]:
    """(host, port, TLS wanted); a bare host:port means mqtt. Raises ValueError for anything else."""
    scheme, mark, rest = text.partition("://")
    if not mark:
        scheme, rest = "mqtt", text
    if scheme not in _PORTS:
        raise ValueError("the hub's address has a scheme that is not mqtt")
    rest = rest.rstrip("/")
    host, mark, port = rest.rpartition(":")
    if not mark or rest.endswith("]"):
        host, port = rest, str(_PORTS[scheme])
    host = host.strip("[]")
    if not host or not port.isdigit() or not 0 < int(port) < 65536:
        raise ValueError("the hub's address has no host or port")
    return host, int(port), scheme == "mqtts"
