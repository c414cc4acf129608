"""`python -m tests.transcripts [FOLDER]`: the architecture document's user experience, typed and checked."""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

from .play import play


def main() -> int:
    """Play the table; exit code 1 when a row failed."""
    if len(sys.argv) > 1:
        passed, failed = play(Path(sys.argv[1]).resolve(), print)
    else:
        with tempfile.TemporaryDirectory(prefix="mesh-transcripts-") as folder:
            passed, failed = play(Path(folder), print)
    print(f"\n{passed} passed, {failed} failed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
