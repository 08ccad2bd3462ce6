# Shared by the scripts beside it, which set `script` to their own path: sets root and venv, and can make .venv.
# POSIX sh. The everyday path starts no Python: comparing two pairs of files takes a few milliseconds.
# shellcheck shell=sh

case $script in */*) ;; *) script=./$script ;; esac
root=$(CDPATH='' cd -- "${script%/*}/.." && pwd -P)
venv=$root/.venv

# Prints the command of a Python that can make the environment.
find_python() {
    can='import sys; assert sys.version_info >= (3, 11); import ensurepip, sqlite3, venv'
    if [ -n "${PYTHON:-}" ]; then
        "$PYTHON" -c "$can" > /dev/null 2>&1 && echo "$PYTHON" && return
        echo "error: PYTHON=$PYTHON is no Python 3.11 or newer with venv and sqlite3" >&2
        return 1
    fi
    for candidate in python3.13 python3.12 python3.11 python3 python; do
        # Being on PATH is not enough: version managers put commands there that only say what is not installed.
        "$candidate" -c "$can" > /dev/null 2>&1 && echo "$candidate" && return
    done
    echo "error: no Python 3.11 or newer with venv and sqlite3 found" >&2
    echo "hint: Install it (Debian, Ubuntu: apt install python3-venv), or name one with PYTHON=/path/to/python." >&2
    return 1
}

# Says whether .venv stands and was made from the files as they are now, in this place, by the Python asked for.
# In a moved or copied folder the commands of .venv lead to the old place.
venv_fits() {
    made=$venv/.made-from
    [ -x "$venv/bin/python" ] && [ -f "$made/place" ] \
        && { IFS= read -r made_in && IFS= read -r made_with; } < "$made/place" \
        && [ "$made_in" = "$root" ] && [ "${PYTHON:-$made_with}" = "$made_with" ] \
        && cmp -s "$root/requirements.lock" "$made/requirements.lock" \
        && cmp -s "$root/pyproject.toml" "$made/pyproject.toml"
}

# Makes .venv, or does nothing where it fits.
ensure_venv() {
    if venv_fits; then return; fi
    found=$(find_python)
    "$found" "$root/scripts/_venv.py" "$found"
}
