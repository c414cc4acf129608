"""`meshservice run` serves what is published in its folder, to resolvers of locators."""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from mathmesh.codec import udf
from mathmesh.errors import StoreError
from mathmesh.keys import earl
from meshclient.earl import Resolver
from meshclient.earl_folder import publish_content

KEY = udf.text(udf.ENCRYPTION, bytes(range(15)))


async def publish_and_resolve(folder: Path, address: str) -> None:
    url = urlsplit(address)
    resolver = Resolver({"example.com": f"{url.scheme}://{url.netloc}{earl.WELL_KNOWN}"})
    with pytest.raises(StoreError, match="nothing under this locator"):
        await resolver.resolve(f"udf://example.com/{KEY}")
    locator = publish_content(folder, "example.com", KEY, b"content")
    assert (await resolver.resolve(locator)).content == b"content"


@pytest.mark.slow
def test_published_content_is_served(tmp_path: Path) -> None:
    words = ["--data", str(tmp_path), "--port", "0", "--domain", "example.com", "--json"]
    command = [sys.executable, "-m", "meshservice.cli", "run", *words]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    try:
        assert process.stdout is not None
        asyncio.run(publish_and_resolve(tmp_path / "public", json.loads(process.stdout.readline())["url"]))
    finally:
        process.terminate()
        process.communicate(timeout=20)
