#!/bin/sh
# Makes .venv from requirements.txt; called by `make install`, in the folder of the checkout.
# Does nothing where that has been done for these very files; repairs an installation that was interrupted.
set -eu

VENV=.venv
STAMP=$VENV/.fraudops-installed     # written last: holds the digest of what was installed
STARTED=$VENV/.fraudops-installing  # there while an installation is under way

say() { printf '%s\n' "$*" >&2; }
fail() { say "error: $1"; shift; for line in "$@"; do say "  $line"; done; exit 1; }

is_new_enough() { "$1" -c 'import sys; sys.exit(sys.version_info < (3, 11))' >/dev/null 2>&1; }

find_python() {
    old=
    for name in ${PYTHON:+"$PYTHON"} python3.13 python3.12 python3.11 python3 python; do
        found=$(command -v "$name" 2>/dev/null) || continue
        if is_new_enough "$found"; then printf '%s\n' "$found"; return; fi
        old="$old $found ($("$found" --version 2>&1 || true))"
    done
    if [ -n "$old" ]; then
        fail "fraudops needs Python 3.11 or newer; found only:$old" \
             "install a newer one (Debian, Ubuntu: apt install python3.11 python3.11-venv; macOS: brew install python)," \
             "or name it: make install PYTHON=/path/to/python3.11"
    fi
    fail "no Python was found" "install Python 3.11 or newer, or name it: make install PYTHON=/path/to/python3.11"
}

# What was installed depends on these files, on the interpreter, and on where the checkout lies (scripts name it).
digest() {
    { cat requirements.txt pyproject.toml; pwd; "$VENV/bin/python" --version; } \
        | "$VENV/bin/python" -c 'import hashlib, sys; print(hashlib.sha256(sys.stdin.buffer.read()).hexdigest())'
}

make_venv() {
    python=$(find_python)
    say "making $VENV with $python ($("$python" --version 2>&1))"
    rm -rf "$VENV"
    if ! "$python" -m venv "$VENV" 2>"$VENV.log" >&2; then
        cat "$VENV.log" >&2; rm -rf "$VENV" "$VENV.log"
        fail "$python cannot make a virtual environment: its module venv (or ensurepip) is missing" \
             "Debian, Ubuntu: apt install $(basename "$python")-venv (or python3-venv), then make install again"
    fi
    rm -f "$VENV.log"
    : >"$STARTED"
}

# uv is about ten times as fast as pip; an index or a proxy that only pip is configured for still works with pip.
install_packages() {
    uv=$(command -v uv 2>/dev/null || true)
    if [ -z "$uv" ]; then
        "$VENV/bin/python" -m pip install --quiet --disable-pip-version-check uv >/dev/null 2>&1 \
            && uv=$VENV/bin/uv || say "uv cannot be installed: using pip (slower)"
    fi
    if [ -n "$uv" ]; then
        if VIRTUAL_ENV="$PWD/$VENV" "$uv" pip install --python "$VENV/bin/python" -r requirements.txt; then return; fi
        say "uv could not install everything: trying pip"
    fi
    "$VENV/bin/python" -m pip install --disable-pip-version-check -r requirements.txt \
        || fail "the packages of requirements.txt could not be installed" \
                "read the lines above; without access to pypi.org configure your index for pip, then make install again"
}

[ -f requirements.txt ] || fail "run this in the folder of the checkout (make install)"

if [ -e "$VENV" ]; then
    if ! is_new_enough "$VENV/bin/python"; then
        say "$VENV has no working Python 3.11 or newer: making it again"
        make_venv
    elif [ -f "$STAMP" ] && [ "$(cat "$STAMP")" = "$(digest)" ] && [ ! -e "$STARTED" ]; then
        exit 0
    elif [ -e "$STARTED" ]; then
        say "an earlier installation was interrupted: making $VENV again"
        make_venv
    fi
else
    make_venv
fi

rm -f "$STAMP"
: >"$STARTED"
install_packages
# Not through an index: only our own package is built, its dependencies are installed.
"$VENV/bin/python" -m pip install --quiet --disable-pip-version-check --no-deps --editable . \
    || fail "fraudops itself could not be installed" "read the lines above, then make install again"
digest >"$STAMP"
rm -f "$STARTED"
say "installed into $VENV"
