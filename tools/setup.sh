# Sourced by ./run and ./test: installs what is missing, into the system where that is allowed, else into the checkout.
# Sets: VENV (folder of the environment), LEFT_OUT (what could not be installed, as text).
set -eu
cd "$(dirname "$0")"
VENV="$PWD/.venv"
LEFT_OUT=""
say() { printf '%s\n' "$*" >&2; }

# as_root CMD...: 0 when it ran; 1 when there is neither root nor a sudo that asks nothing or has a terminal to ask on.
as_root() {
    if [ "$(id -u)" = 0 ]; then "$@"
    elif command -v sudo >/dev/null 2>&1 && { sudo -n true 2>/dev/null || [ -t 0 ]; }; then sudo "$@"
    else return 1
    fi
}

# need_debian PACKAGE WHY TEST...: installs the Debian package unless TEST succeeds.
APT_UPDATED=""
need_debian() {
    package=$1 why=$2
    shift 2
    if "$@" >/dev/null 2>&1; then return 0; fi
    if ! command -v apt-get >/dev/null 2>&1; then LEFT_OUT="$LEFT_OUT
  $package ($why): not a Debian system, install it by hand"; return 0; fi
    say "Installing $package ($why) ..."
    if [ -z "$APT_UPDATED" ]; then as_root apt-get -qq update >/dev/null 2>&1 || true; APT_UPDATED=1; fi
    if ! as_root env DEBIAN_FRONTEND=noninteractive apt-get -qq install -y --no-install-recommends "$package" >/dev/null 2>&1; then
        LEFT_OUT="$LEFT_OUT
  $package ($why): needs root; 'sudo apt-get install $package' brings it"
    fi
}

have_mosquitto() { command -v mosquitto || [ -x /usr/sbin/mosquitto ]; }
have_venv() { python3 -c 'import ensurepip, venv'; }
have_tcti_swtpm() { ldconfig -p | grep -q libtss2-tcti-swtpm; }
have_browser() { command -v chromium; }

setup_system() {
    command -v python3 >/dev/null 2>&1 || need_debian python3 "runs everything" false
    python3 -c 'import sys; sys.exit(sys.version_info < (3, 11))' || {
        say "Python 3.11 or newer is needed; this is $(python3 -V 2>&1). Debian 12 or newer and Raspberry Pi OS 12 or newer have it."
        exit 1
    }
    need_debian python3-venv "the environment in .venv" have_venv
    need_debian mosquitto "the MQTT broker; without it the built-in one is used" have_mosquitto
    need_debian make "the targets beyond run and test" command -v make
    # Debian starts its own broker on 1883 at installation; ours picks a free port, so both can live.
}

no_packages() {
    say "The Python packages could not be installed; the lines above say why. They come from pypi.org, so this machine
must reach it once. What is there already is kept: start again when it does."
    exit 1
}

# setup_python LOCK: .venv holds exactly what the lock names (hashes checked), and this checkout.
setup_python() {
    lock=$1
    stamp="$VENV/.installed"
    want=$(cat "$lock" tools.lock stubs.lock pyproject.toml | sha256sum | cut -d' ' -f1)
    if [ -x "$VENV/bin/python" ] && [ "$(cat "$stamp" 2>/dev/null)" = "$want" ] && "$VENV/bin/python" -c 'import meshhub' 2>/dev/null; then return 0; fi
    if ! [ -x "$VENV/bin/python" ] || ! "$VENV/bin/python" -c 'import pip' 2>/dev/null; then
        if have_venv >/dev/null 2>&1; then rm -rf "$VENV"; python3 -m venv "$VENV"
        else say "Python's venv module is missing and could not be installed: 'sudo apt-get install python3-venv', then start again."; exit 1
        fi
    fi
    say "Installing the Python packages of $lock (some minutes on a small machine) ..."
    pip="$VENV/bin/python -m pip --disable-pip-version-check -q"
    if $pip install --require-hashes -r tools.lock 2>/dev/null && "$VENV/bin/uv" pip install -q --python "$VENV/bin/python" --require-hashes -r "$lock" 2>/dev/null; then :
    else $pip install --require-hashes -r "$lock" || no_packages   # where uv has no wheel, or pip is configured for an index that uv does not read
    fi
    $pip install --no-build-isolation --no-deps -e . || no_packages
    printf '%s' "$want" > "$stamp"
}
