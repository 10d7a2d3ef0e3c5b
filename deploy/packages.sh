# Sourced by deploy/quickstart and tests/run: installs Debian packages that are missing.

# need_packages COMMAND:PACKAGE...   installs each PACKAGE whose COMMAND is not found.
need_packages() {
    local missing=() pair command
    for pair in "$@"; do
        command=${pair%%:*}
        [ -x "$command" ] || command -v "$command" >/dev/null 2>&1 || missing+=("${pair#*:}")
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

# need_rust   says what to do when there is no Rust toolchain.
need_rust() {
    if ! command -v cargo >/dev/null 2>&1; then
        echo "There is no Rust toolchain: 'cargo' was not found. Install one (https://rustup.rs), then run this again." >&2
        return 1
    fi
}
