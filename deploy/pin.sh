#!/bin/sh
# Prints the version of every direct and indirect dependency, as a fresh environment resolves them.
set -eu
cd "$(dirname "$0")/.."
fresh=$(mktemp -d)
trap 'rm -rf "$fresh"' EXIT
"${PYTHON:-python3}" -m venv "$fresh"
"$fresh/bin/pip" install --quiet --upgrade pip >&2
"$fresh/bin/pip" install --quiet -e ".[dev]" >&2
echo "# Every dependency of presencia[dev], pinned. Made by deploy/pin.sh; don't edit."
"$fresh/bin/pip" freeze --quiet --all --exclude-editable
