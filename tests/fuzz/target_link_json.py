"""The link's own JSON reader, against what it writes and against the standard library."""

import json
from collections.abc import Iterable

from mathmesh.errors import EncodingError
from meshlink import json_text


def seeds() -> Iterable[bytes]:
    """Every kind of value, escapes, nesting, and text that is none."""
    yield b'{"a":[1,-2,3.5e2,true,false,null,"x"],"b":{"c":{}}}'
    yield '{"text":"\\u00e9\\ud83d\\ude00\\n\\"\\\\é€😀"}'.encode()
    yield b"[ [ [ [ [ [ [ [ ] ] ] ] ] ] ] ]"
    yield b'{"a":1,"a":2}'
    yield b'{"n":[0.1,1E5,-0,10000000000000000000000000000000000000000]}'


def one(data: bytes) -> None:
    """What is read is what the standard library reads, and is written and read again alike."""
    for kind in (dict, list):
        try:
            value = json_text.loads(data, kind)
        except EncodingError:
            continue
        assert isinstance(value, kind)
        assert repr(json.loads(data)) == repr(value)
        text = json_text.text(value)
        assert repr(json_text.loads(text.encode(), kind)) == repr(value)
