# Sourced by deploy/quickstart and tests/run: installs Debian packages that are missing.

# is_there WHAT   whether a command is found, a path exists, or Debian's Python imports a module (import=MODULE).
is_there() {
    case $1 in
        import=*) /usr/bin/python3 -EsB -c "import ${1#import=}" >/dev/null 2>&1 ;;
        /*) [ -e "$1" ] ;;
        *) command -v "$1" >/dev/null 2>&1 ;;
    esac
}

# need_packages WHAT:PACKAGE...   installs each PACKAGE whose WHAT is not there.
need_packages() {
    local missing=() pair
    for pair in "$@"; do
        is_there "${pair%%:*}" || missing+=("${pair#*:}")
    done
    [ ${#missing[@]} -gt 0 ] || return 0
    local as_root=()
    if [ "$(id -u)" -ne 0 ]; then
        if ! command -v sudo >/dev/null 2>&1; then
            echo "Missing Debian packages: ${missing[*]}" >&2
            echo "You are not root and there is no sudo. As root, run:  apt-get install ${missing[*]}" >&2
            return 1
        fi
        as_root=(sudo)
    fi
    echo "Installing from Debian's packages: ${missing[*]}"
    local log
    log=$(mktemp)
    # policy-rc.d of our own would be more than is needed: RabbitMQ's own service is told not to start.
    if ! { "${as_root[@]}" apt-get update -q &&
        "${as_root[@]}" env DEBIAN_FRONTEND=noninteractive RUNLEVEL=1 \
            apt-get install -y -q --no-install-recommends "${missing[@]}"; } >"$log" 2>&1; then
        echo "The installation failed; the end of what it said:" >&2
        tail -n 20 "$log" >&2
        return 1
    fi
    rm -f "$log"
}

# need_postgresql   PostgreSQL's server, whichever version Debian has.
need_postgresql() {
    compgen -G "/usr/lib/postgresql/*/bin/initdb" >/dev/null || need_packages initdb:postgresql
}

# need_rust   says what to do when there is no Rust toolchain.
need_rust() {
    if ! command -v cargo >/dev/null 2>&1; then
        echo "There is no Rust toolchain: 'cargo' was not found. Install one (https://rustup.rs), then run this again." >&2
        return 1
    fi
}
