"""Who may import whom, checked on the source of every package (ARCHITECTURE.md).

The same rules stand in the packages' ruff.toml, so that an editor shows a breach at once. What only this
test checks: the order of the packages inside mathmesh, one user per library, and imports that only a type
checker sees (below `if TYPE_CHECKING:`), which device-safe code may make freely.
"""

import ast
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

CHECKOUT = Path(__file__).resolve().parents[1]
ROOTS = ("hub", "provisioning", "device_firmware")

PROJECT = frozenset(
    {"mathmesh", "meshlink", "meshclient", "meshservice", "meshhub", "meshfactory", "meshdevice"}
)

# Ranks inside mathmesh: a package may import itself, those of its rank and all below.
RANKS = {
    "errors": 0,
    "codec": 1,
    "types": 2,
    "keys": 3,
    "threshold": 4,
    "dare": 5,
    "schema": 6,
    "stores": 7,
    "service": 8,
    "messaging": 8,
}

DEVICE_MATHMESH = frozenset({"mathmesh.codec", "mathmesh.errors"})

# Modules in device-safe folders that their users do without where they cannot be imported.
NOT_ON_DEVICES = frozenset({"mathmesh.codec.json_numbers"})

PROJECT_IMPORTS = {
    "mathmesh": {"mathmesh"},
    "meshlink": {"meshlink"},
    "meshclient": {"meshclient", "mathmesh"},
    "meshservice": {"meshservice", "meshclient", "mathmesh"},
    "meshhub": {"meshhub", "mathmesh", "meshlink", "meshclient", "meshservice"},
    "meshfactory": {"meshfactory", "mathmesh", "meshlink", "meshclient"},
    "meshdevice": {"meshdevice", "meshlink"},
}

LIBRARIES = {
    "mathmesh": {"cryptography", "nacl", "Crypto"},
    "meshlink": set(),
    # cryptography for the RSA keys and certificates of S/MIME, which the core does not have
    "meshclient": {"aiohttp", "click", "dns", "rich", "segno", "PIL", "cryptography"},
    "meshservice": {"aiohttp", "click", "rich"},
    "meshhub": {
        *("aiomqtt", "paho", "amqtt", "zeroconf", "bleak", "aiohttp", "zxingcpp", "PIL", "click", "rich"),
        *("structlog", "cryptography"),
    },
    "meshfactory": {"segno", "PIL", "click", "rich"},
    "meshdevice": set(),
}

# Frameworks that shape whole modules; every other library is wrapped in one module of a package.
FRAMEWORKS = frozenset({"aiohttp", "click", "rich"})

SANS_IO = frozenset(
    {
        *("asyncio", "socket", "select", "selectors", "ssl", "threading", "multiprocessing", "subprocess"),
        *("http", "os", "pathlib", "tempfile", "shutil", "secrets", "random", "uuid", "time", "sqlite3"),
        *("concurrent", "socketserver", "ftplib", "smtplib", "signal", "fcntl"),
    }
)
CLOCKS = frozenset({"now", "utcnow", "today"})

MICROPYTHON_CORE = frozenset(
    {"array", "binascii", "collections", "hashlib", "json", "math", "re", "struct", "sys", "deflate", "io"}
)
MICROPYTHON = MICROPYTHON_CORE | {
    *("asyncio", "errno", "gc", "os", "random", "select", "socket", "ssl", "tls", "time", "cryptolib"),
    *("micropython", "machine", "network", "bluetooth", "esp32", "rp2", "neopixel", "dht", "onewire"),
    *("ds18x20", "framebuf", "vfs", "uctypes", "ntptime", "board_config", "_thread", "platform"),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Import:
    """One imported name; `guarded` when only a type checker sees it."""

    path: Path
    line: int
    module: str
    guarded: bool

    @property
    def where(self) -> str:
        return f"{self.path.relative_to(CHECKOUT)}:{self.line} imports {self.module}"


def module_name(path: Path) -> str:
    for root in ROOTS:
        if path.is_relative_to(CHECKOUT / root):
            parts = path.relative_to(CHECKOUT / root).with_suffix("").parts
            return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)
    raise AssertionError(f"{path} lies in no package")


def sources(package: str) -> list[Path]:
    for root in ROOTS:
        folder = CHECKOUT / root / package
        if folder.is_dir():
            return sorted(folder.rglob("*.py"))
    raise AssertionError(f"no package {package}")


def imports(path: Path) -> Iterator[Import]:
    tree = ast.parse(path.read_text(encoding="utf-8"))
    guarded = {
        id(inner)
        for node in ast.walk(tree)
        if isinstance(node, ast.If) and "TYPE_CHECKING" in ast.dump(node.test)
        for statement in node.body
        for inner in ast.walk(statement)
    }
    for node in ast.walk(tree):
        names: list[str] = []
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            package = node.module or ""
            if node.level:
                base = module_name(path).split(".")
                keep = len(base) - node.level + (path.name == "__init__.py")
                package = ".".join([*base[:keep], *([package] if package else [])])
            names = [f"{package}.{alias.name}" for alias in node.names]
        for name in names:
            yield Import(path=path, line=node.lineno, module=name, guarded=id(node) in guarded)


def all_imports(package: str) -> Iterator[Import]:
    for path in sources(package):
        yield from imports(path)


def top(name: str) -> str:
    return name.partition(".")[0]


def two(name: str) -> str:
    return ".".join(name.split(".")[:2])


def is_device_safe(path: Path) -> bool:
    name = module_name(path)
    return name == "mathmesh" or two(name) in DEVICE_MATHMESH or top(name) in ("meshlink", "meshdevice")


@pytest.mark.parametrize("package", sorted(PROJECT))
def test_project_packages_and_libraries(package: str) -> None:
    breaches = []
    for found in all_imports(package):
        name = top(found.module)
        allowed = PROJECT_IMPORTS[package] | LIBRARIES[package]
        if is_device_safe(found.path):
            if two(found.module) in DEVICE_MATHMESH:
                continue
            allowed = allowed - {"mathmesh"} - LIBRARIES[package]
        standard = name in sys.stdlib_module_names or name in MICROPYTHON
        if name not in allowed and (name in PROJECT or not standard):
            breaches.append(found.where)
    assert not breaches, "\n".join(breaches)


def test_mathmesh_imports_downwards_only() -> None:
    breaches = []
    for found in all_imports("mathmesh"):
        importer, imported = module_name(found.path).split("."), found.module.split(".")
        if len(importer) < 2 or imported[0] != "mathmesh" or found.guarded:
            continue
        assert imported[1] in RANKS, found.where
        if RANKS[imported[1]] > RANKS[importer[1]]:
            breaches.append(found.where)
    assert not breaches, "\n".join(breaches)


@pytest.mark.parametrize("package", ["mathmesh", "meshlink"])
def test_core_has_no_input_output_clock_or_randomness(package: str) -> None:
    breaches = [found.where for found in all_imports(package) if top(found.module) in SANS_IO]
    for path in sources(package):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
                owner = ast.unparse(node.func.value)
                if node.func.attr in CLOCKS and owner in ("datetime", "date", "datetime.datetime"):
                    breaches.append(f"{path}:{node.lineno} reads the clock")
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "open":
                breaches.append(f"{path}:{node.lineno} opens a file")
    assert not breaches, "\n".join(breaches)


def test_device_safe_code_uses_what_micropython_has() -> None:
    breaches = []
    for package in ("mathmesh", "meshlink", "meshdevice"):
        available = MICROPYTHON if package == "meshdevice" else MICROPYTHON_CORE
        for found in all_imports(package):
            if not is_device_safe(found.path) or found.guarded or top(found.module) in PROJECT:
                continue
            if module_name(found.path) in NOT_ON_DEVICES:
                continue
            if top(found.module) not in available or found.module in ("hashlib.sha512", "hashlib.sha3_512"):
                breaches.append(found.where)
    assert not breaches, "\n".join(breaches)


@pytest.mark.parametrize("package", sorted(PROJECT))
def test_each_library_has_one_user(package: str) -> None:
    users: dict[str, set[str]] = {}
    for found in all_imports(package):
        if top(found.module) in LIBRARIES[package] - FRAMEWORKS:
            users.setdefault(top(found.module), set()).add(module_name(found.path))
    assert all(len(modules) == 1 for modules in users.values()), users


def test_service_package_is_hosted_in_the_hub_only() -> None:
    for package in PROJECT - {"meshservice", "meshhub"}:
        for found in all_imports(package):
            assert top(found.module) != "meshservice", found.where


def test_containers_of_packages_hold_no_module() -> None:
    for root in ROOTS:
        assert not list((CHECKOUT / root).glob("*.py"))


@pytest.mark.parametrize("package", sorted(PROJECT))
def test_every_package_carries_its_bans(package: str) -> None:
    folder = next(CHECKOUT / root / package for root in ROOTS if (CHECKOUT / root / package).is_dir())
    bans = (folder / "ruff.toml").read_text(encoding="utf-8")
    for other in PROJECT - PROJECT_IMPORTS[package] - {"mathmesh"}:
        assert f'"{other}".msg' in bans
