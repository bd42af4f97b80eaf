# shellcheck shell=bash
# What ./run and ./test need of the machine. Sourced by them, never run. They set `here`, the
# folder of the clone, and use the lists below.
# shellcheck disable=SC2034,SC2154

# To build: a C compiler for SQLite and aws-lc, the system's OpenSSL. To run: Postfix, ip(8) for an
# address of its own on lo, and SASL for an AUTH that really answers 235. To test: openssl(1), and
# mount, unshare and chattr for full disks, strangers' files and files that nobody may change.
# Pebble is a CA to test with, Knot DNS a name server with its knsupdate(1), Unbound a resolver that
# validates DNSSEC; postfix-lmdb and postfix-cdb are types of tables; faketime(1) gives a program a wrong clock,
# time(1) tells how much memory a program held, testssl.sh looks at TLS as probe does, sqlite3(1) changes a store behind its back,
# a private PostgreSQL holds a desk, and chromium is the browser that a person sits at.
build_packages='gcc libc6-dev pkg-config libssl-dev ca-certificates'
run_packages='postfix iproute2 sasl2-bin libsasl2-modules'
test_packages='openssl mount util-linux e2fsprogs pebble knot knot-dnsutils unbound postfix-lmdb postfix-cdb faketime time testssl.sh sqlite3 postgresql chromium'

say() { printf 'postseal: %s\n' "$*" >&2; }

stop() {
    local code=$1
    shift
    say "$*"
    exit "$code"
}

# Whether there is somebody to ask.
attended() { [ -t 0 ] && [ -t 2 ] && [ -z "${CI:-}" ]; }

as_root() {
    if [ "$(id -u)" = 0 ]; then "$@"; else sudo -- "$@"; fi
}

# Leaves with 77 unless as_root will work.
need_root() {
    if [ "$(id -u)" = 0 ]; then return; fi
    if command -v sudo >/dev/null; then
        if sudo -n true 2>/dev/null; then return; fi
        if attended && sudo true; then return; fi
    fi
    stop 77 "$1 needs root, or sudo that may be used: it starts a private Postfix"
}

# Prints those of the packages that are not installed.
missing() {
    local package state
    for package; do
        state=$(dpkg-query -W -f '${db:Status-Status} ' "$package" 2>/dev/null) || state=none
        case $state in installed*) ;; *) printf '%s\n' "$package" ;; esac
    done
}

need_packages() {
    local list
    if ! command -v dpkg-query >/dev/null; then
        say "this is no Debian: nothing is installed here, the packages needed are: $*"
        return
    fi
    mapfile -t list < <(missing "$@")
    if [ ${#list[@]} = 0 ]; then return; fi
    say "installing ${list[*]}"
    as_root bash "$here/.ci/install" "${list[@]}" || stop 69 "could not install ${list[*]}"
}

# Makes cargo callable: the one that is there, or rustup's, once allowed ($1 is `yes`).
need_cargo() {
    local pinned found
    pinned=$(sed -n 's/^channel = "\(.*\)"$/\1/p' "$here/rust-toolchain.toml")
    PATH="${CARGO_HOME:-$HOME/.cargo}/bin:$PATH"
    # rustup fetches by itself what rust-toolchain.toml pins.
    if command -v rustup >/dev/null && command -v cargo >/dev/null; then return; fi
    found=$(cd / && cargo --version 2>/dev/null | cut -d' ' -f2) || found=
    if [ -n "$found" ] && [ "$(printf '%s\n' "$pinned" "$found" | sort -V | head -n1)" = "$pinned" ]; then
        return
    fi
    if [ "$1" != yes ]; then offer_rust "$pinned" "${found:-none}"; fi
    install_rust "$pinned"
}

offer_rust() {
    local answer
    if attended; then
        printf 'postseal: Rust %s is needed, found %s. Install it by rustup (https://rustup.rs)? [y/N] ' "$1" "$2" >&2
        read -r answer
        case $answer in y | Y | yes) return ;; esac
    fi
    stop 69 "Rust $1 is needed, found $2: install it (https://rustup.rs), or say --yes and it is done for you${SUDO_USER:+ (or run this without sudo: it asks for it)}"
}

install_rust() {
    local script
    need_packages curl ca-certificates
    script=$(mktemp)
    say "installing Rust $1 by rustup into ${CARGO_HOME:-$HOME/.cargo}"
    curl --proto '=https' --tlsv1.2 --silent --show-error --fail --output "$script" https://sh.rustup.rs \
        || stop 69 "rustup could not be fetched"
    sh "$script" -y --quiet --no-modify-path --profile minimal --default-toolchain "$1" \
        || stop 69 "rustup could not be installed"
    rm -f "$script"
}

# Fetches what the console's pages take from others, styles and htmx, which the build puts into the program.
need_assets() { need_npm crates/console/assets "the console's styles and scripts"; }

# Fetches what drives a browser in the tests.
need_browser() { need_npm crates/cli/tests/browser 'what drives the browser'; }

# Fetches by npm what the lock file in folder $1 names; $2 says what that is. Quick where it is there already.
need_npm() {
    local folder=$here/$1
    if [ "$folder/node_modules/.package-lock.json" -nt "$folder/package-lock.json" ]; then return; fi
    if ! command -v npm >/dev/null; then need_packages nodejs npm; fi
    say "fetching $2 by npm"
    (cd "$folder" && npm ci --silent --no-fund --no-audit </dev/null) \
        || stop 69 "npm could not fetch what $1/package-lock.json names"
}
