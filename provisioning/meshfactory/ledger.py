"""What the factory made: one line per device, without any secret.

The ledger answers "which labels did we print?" after seed and label secret are erased; a device is found by
its UDF, serial or publication id. It is append-only, one JSON object per line, synced line by line.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from pathlib import Path

from mathmesh.errors import StoreError

MEMBERS = ("made", "kind", "model", "serial", "udf", "publication_id", "maker")


def append(path: Path, entry: dict[str, str]) -> None:
    """Add one device; `entry` has exactly MEMBERS. Raises StoreError when the line cannot be made durable."""
    line = json.dumps({member: entry[member] for member in MEMBERS}, ensure_ascii=False) + "\n"
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        descriptor = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
        try:
            os.write(descriptor, line.encode())
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
    except OSError as error:
        raise StoreError(f"The ledger {path} cannot be written: {error.strerror}.") from error


def entries(path: Path) -> Iterator[dict[str, str]]:
    """All devices, oldest first. A torn last line (power cut) is passed over."""
    if not path.exists():
        return
    for line in path.read_text(encoding="utf-8").splitlines():
        try:
            entry = json.loads(line)
        except ValueError:
            continue
        if isinstance(entry, dict):
            yield entry
