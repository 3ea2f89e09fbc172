# Sourced by bin/run and bin/test: finds a Python, keeps .venv in step with the requirements, writes the first .env.
# Every refusal is one sentence on standard error; the caller ends with the function's exit code.

VENV_PYTHON=.venv/bin/python

say() { printf '%s\n' "$*"; }

refuse() {
    printf '%s: %s\n' "$(basename "$0")" "$*" >&2
    exit 1
}

# Sets PYTHON to a command that is 3.11 or newer and can make a virtual environment; 3.11, the image's, before others.
find_python() {
    local name version seen="" without=""
    for name in ${PYTHON:-} python3.11 python3.12 python3.13 python3; do
        version=$("$name" -c 'import sys; print("%d.%d" % sys.version_info[:2])' 2>/dev/null) || continue
        if ! "$name" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then
            seen="$seen $name is $version;"
        elif ! "$name" -c 'import ensurepip, sqlite3, ssl, venv' 2>/dev/null; then
            without="$without $name"
        else
            PYTHON=$name
            return
        fi
    done
    if [ -n "$without" ]; then
        refuse "$(echo "$without" | xargs) can't make a virtual environment: one of its modules venv, ensurepip," \
            "sqlite3 and ssl is missing. On Debian and Ubuntu: apt-get install python3-venv"
    fi
    refuse "Python 3.11 or newer is needed;${seen:- no python3 was found.} Install it, or name it: PYTHON=/path/to/python3"
}

# One word that changes with the requirements and with the Python they are installed for.
fingerprint() {
    local version
    version=$("$VENV_PYTHON" -c 'import sys; print(sys.version_info[:3])' 2>/dev/null) || return 1
    { echo "$version" && cat "$@"; } | cksum | tr ' ' '-'
}

# install_requirements requirements.txt …: brings .venv up to date, or returns at once when nothing changed.
install_requirements() {
    local file=$1 stamp=".venv/.installed-$1" wanted log
    if ! "$VENV_PYTHON" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then
        find_python
        say "Making .venv with $("$PYTHON" --version) …"
        "$PYTHON" -m venv --clear .venv || refuse "$PYTHON could not make .venv (see above)."
    fi
    wanted=$(fingerprint requirements*.txt)
    if [ "$(cat "$stamp" 2>/dev/null)" = "$wanted" ]; then
        return
    fi
    say "Installing $file into .venv (a minute or two the first time) …"
    (umask 077 && mkdir -p var)
    log=var/install.log
    # The pipe only shows the packages' names; the whole output is in the log.
    if ! "$VENV_PYTHON" -m pip install --disable-pip-version-check --no-input --progress-bar off \
        --prefer-binary -r "$file" 2>&1 | tee "$log" | show_progress; then
        explain_failed_install "$log"
    fi
    echo "$wanted" >"$stamp"
    if [ "$file" = requirements-dev.txt ]; then
        echo "$wanted" >.venv/.installed-requirements.txt
    fi
}

show_progress() {
    awk '/^Collecting / { count++; printf "  %3d  %s\n", count, $2; fflush() }
         /^  *Building wheel/ { print; fflush() }
         /^Installing collected/ { print "  unpacking …"; fflush() }'
}

explain_failed_install() {
    local log=$1
    grep -E '^ *(ERROR|error):?' "$log" | tail -5 >&2 || true
    if grep -qiE "command '[^']*(gcc|cc|clang|cl)[^']*' failed|no such file or directory: '[^']*(cc|clang|[gc]\+\+)'|no (c )?compiler|unable to execute|can't find rust|cargo" "$log"; then
        refuse "a package has no ready-made build for this machine and the compiler for it is missing." \
            "On Debian and Ubuntu: apt-get install build-essential python3-dev (the whole output: $log)"
    fi
    if grep -qiE 'name resolution|connection|timed out|max retries|no matching distribution' "$log"; then
        refuse "the packages could not be fetched; is the package index reachable? (the whole output: $log)"
    fi
    refuse "the packages could not be installed; the whole output is in $log"
}

# Writes .env from .env.example with secrets of its own, readable by its owner only; an existing one is left alone.
write_first_env_file() {
    if [ -e .env ]; then
        return
    fi
    "$VENV_PYTHON" - <<'PYTHON'
import base64, os, re, secrets

fresh = {
    "SECRET_KEY": secrets.token_urlsafe(50),
    "TOKEN_PEPPER": secrets.token_urlsafe(40),
    "FIELD_ENCRYPTION_KEYS": base64.urlsafe_b64encode(secrets.token_bytes(32)).decode(),
}
with open(".env.example", encoding="utf-8") as example:
    text = example.read()
for name, value in fresh.items():
    text, count = re.subn(rf"(?m)^{name}=.*$", f"{name}={value}", text)
    assert count == 1, name
descriptor = os.open(".env.new", os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
with os.fdopen(descriptor, "w", encoding="utf-8") as target:
    target.write(text)
os.replace(".env.new", ".env")
PYTHON
    say "Wrote .env with new secrets; keep it, encrypted columns can't be read without it."
}

# setting NAME DEFAULT: the value from the environment, else from .env, else the default.
setting() {
    local name=$1 value=${!1:-}
    if [ -z "$value" ] && [ -f .env ]; then
        value=$(sed -n "s/^$name=//p" .env | tail -n 1)
    fi
    printf '%s' "${value:-$2}"
}

# free_port PYTHON PORT: true when nothing listens there.
port_is_free() {
    "$1" - "$2" <<'PYTHON'
import socket, sys

try:
    port = int(sys.argv[1])
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        probe.bind(("127.0.0.1", port))
except (OSError, OverflowError, ValueError):
    sys.exit(1)
PYTHON
}
