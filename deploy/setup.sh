#!/bin/sh
# Makes .venv ready: `deploy/setup.sh run` for serving, `deploy/setup.sh dev` for the tests as well.
# Does nothing, and needs no network, when nothing changed since the last time.
set -eu
cd "$(dirname "$0")/.."
profile=${1:-run}

say() { echo "setup: $*" >&2; }
has() { command -v "$1" >/dev/null 2>&1; }
fail() { say "$*"; exit 1; }

inputs=$({ pwd; cat pyproject.toml setup.py deploy/constraints.txt deploy/setup.sh; } | cksum)
# What the tests need includes what serving needs.
for stamp in .venv/presencia-dev.stamp ".venv/presencia-$profile.stamp"; do
    if [ "$(cat "$stamp" 2>/dev/null)" = "$inputs" ] && .venv/bin/python -c "" 2>/dev/null; then
        exit 0
    fi
done

find_python() {
    for python in ${PYTHON:-} python3.13 python3.12 python3.11 python3; do
        if has "$python" && "$python" -c \
            "import sys; sys.exit(not (3, 11) <= sys.version_info < (3, 14))" 2>/dev/null; then
            echo "$python"
            return
        fi
    done
}

# Whether a browser for the tests is here.
has_browser() {
    has chromium || has chromium-browser || has google-chrome || has google-chrome-stable \
        || [ -d "/Applications/Google Chrome.app" ] || [ -d "/Applications/Chromium.app" ]
}

has_library() { [ "$(uname)" != Linux ] || ldconfig -p 2>/dev/null | grep -q "$1"; }
PATH=$PATH:/sbin:/usr/sbin # where Debian keeps ldconfig

python=$(find_python)
debian= macos= relay=
[ -z "$python" ] && { debian="$debian python3 python3-venv"; macos="$macos python@3.12"; }
# Debian cuts ensurepip, which makes a venv's pip, out of python3.
[ -n "$python" ] && ! "$python" -c "import ensurepip" 2>/dev/null && debian="$debian python3-venv"
has_library libgomp.so.1 || debian="$debian libgomp1" # the llama.cpp runtime needs it
has npm || { debian="$debian npm"; macos="$macos node"; } # the Spanish voice is an npm package
if [ "$profile" = dev ]; then
    has_browser || { debian="$debian chromium fonts-liberation"; macos="$macos google-chrome"; }
    has_library libatomic.so.1 || debian="$debian libatomic1" # Playwright's own Node.js needs it
    # Calls through a relay, out of a network that blocks UDP; only root may make such networks.
    if has apt-get && [ "$(id -u)" = 0 ]; then
        has ip || debian="$debian iproute2"
        has nft || debian="$debian nftables"
        has openssl || debian="$debian openssl"
        has turnserver || { debian="$debian coturn"; relay=new; }
    fi
fi

if [ -n "$debian$macos" ]; then
    if has apt-get && [ "$(id -u)" = 0 ]; then
        say "installing$debian"
        export DEBIAN_FRONTEND=noninteractive
        apt-get update -qq >&2
        # shellcheck disable=SC2086 # a list of words
        apt-get install -y -qq --no-install-recommends $debian >&2
        python=$(find_python)
        # The tests start relays of their own: none is to listen here because of them.
        if [ -n "$relay" ] && [ -d /run/systemd/system ]; then
            systemctl disable --quiet --now coturn >&2
        fi
    elif has apt-get; then
        fail "first run: sudo apt-get install -y$debian"
    elif has brew && [ -n "$macos" ]; then
        fail "first run: brew install$macos"
    elif [ -z "$python" ] || [ "$(uname)" = Linux ]; then
        fail "first install what these Debian packages are called here:$debian"
    fi
fi
[ -n "$python" ] || fail "no Python from 3.11 to 3.13 found; install one, or name it: make PYTHON=..."

if ! .venv/bin/python -m pip --version >/dev/null 2>&1; then
    say "making .venv with $("$python" --version)"
    "$python" -m venv --clear .venv >&2
fi
extra=
[ "$profile" = dev ] && extra='[dev]'
say "installing the Python packages"
pip() { .venv/bin/python -m pip --quiet --disable-pip-version-check --no-input "$@" >&2; }
pip install -c deploy/constraints.txt pip
# setuptools warns of every editable install that folders here can be imported.
PYTHONWARNINGS=ignore pip install -c deploy/constraints.txt -e ".$extra"
echo "$inputs" >"$stamp"
