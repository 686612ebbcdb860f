#!/usr/bin/env bash
# Installs what the project needs; only looks at what is there when nothing is missing, so `make` runs it every time.
#   scripts/setup.sh build   for `make run`
#   scripts/setup.sh test    also browsers, servers and valgrind for `make test`
#   scripts/setup.sh bench   for `make bench`: servers, but no web app
#   scripts/setup.sh moq     moq-relay for `make bench`, and what puts load on it; a failure leaves it out
#   scripts/setup.sh lint    also what `make lint` needs
#   scripts/setup.sh fuzz    also what `make fuzz` needs
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

mode=${1:-build}
case $mode in build | test | bench | moq | lint | fuzz) ;; *)
    echo "usage: scripts/setup.sh build|test|bench|moq|lint|fuzz" >&2
    exit 2
    ;;
esac

RUST_MINOR=95 # of the rust-version in Cargo.toml
NODE_MAJOR=20

say() { echo "setup: $*" >&2; }
fail() {
    say "$*"
    exit 1
}
have() { command -v "$1" >/dev/null 2>&1; }

# Installs Debian packages as root or through sudo. Never asks for a password: it says what to run instead.
apt_install() {
    local run=(env DEBIAN_FRONTEND=noninteractive apt-get)
    have apt-get || fail "please install these with your package manager, then run this again: $*"
    if ((EUID != 0)); then
        sudo -n true 2>/dev/null || fail "please run this, then try again:  sudo apt-get install -y --no-install-recommends $*"
        run=(sudo -n "${run[@]}")
    fi
    say "installing $*"
    # The package lists of a fresh image are missing or old, so a first failure may only mean "update first".
    "${run[@]}" install -y -qq --no-install-recommends "$@" >/dev/null 2>&1 && return
    "${run[@]}" update -qq || say "apt-get update failed; trying with the package lists at hand"
    "${run[@]}" install -y -qq --no-install-recommends "$@" >/dev/null || fail "apt-get could not install: $*"
}

# Build tools are kept fast to compile, not fast to run: they work for seconds, compiling them takes minutes.
cargo_install() {
    say "compiling $1 (once)"
    # From outside the workspace, whose cargo settings are for our own code.
    (cd "${HOME:-/}" && env -u CARGO_TARGET_DIR CARGO_PROFILE_RELEASE_OPT_LEVEL=0 CARGO_PROFILE_RELEASE_LTO=off \
        CARGO_PROFILE_RELEASE_CODEGEN_UNITS=16 CARGO_PROFILE_RELEASE_DEBUG=false cargo install --quiet --locked "$@")
}

check_rust() {
    have rustc && have cargo || fail "Rust is missing: see https://rustup.rs"
    local version
    version=$("${1:-rustc}" --version)
    [[ $version =~ ^rustc\ 1\.([0-9]+)\. ]] && ((BASH_REMATCH[1] >= RUST_MINOR)) ||
        fail "needs Rust 1.$RUST_MINOR or newer, but ${1:-rustc} is $version (update with: rustup update stable, or apt-get upgrade)"
}

check_node() {
    have node && have npm || fail "Node.js $NODE_MAJOR or newer is missing: see https://nodejs.org"
    local version
    version=$(node --version)
    [[ $version =~ ^v([0-9]+)\. ]] && ((BASH_REMATCH[1] >= NODE_MAJOR)) ||
        fail "needs Node.js $NODE_MAJOR or newer, found: $version"
}

# Builds the standard library for wasm32 with Debian's compiler, for machines where rustup may not download it.
build_distro_std() {
    apt_install rustc-web cargo-web rust-web-src lld-22
    check_rust /usr/bin/rustc
    source scripts/wasm-env.sh
    [[ -n $WASM_TOOLCHAIN ]] && return
    say "building the standard library for wasm32 (once, about a minute)"
    local dir rlib
    dir=$(mktemp -d)
    mkdir "$dir/src" && : >"$dir/src/lib.rs"
    printf '[package]\nname = "throwaway"\nedition = "2021"\n' >"$dir/Cargo.toml"
    # embed-bitcode: without it a link with LTO fails with "can't find section .llvmbc".
    (cd "$dir" && env -u RUSTFLAGS -u CARGO_TARGET_DIR RUSTC="$DISTRO_RUSTC" RUSTC_BOOTSTRAP=1 \
        CARGO_TARGET_WASM32_UNKNOWN_UNKNOWN_LINKER="$DISTRO_WASM_LD" \
        CARGO_TARGET_WASM32_UNKNOWN_UNKNOWN_RUSTFLAGS=-Cembed-bitcode=yes \
        /usr/bin/cargo build --quiet --release -Zbuild-std=std,panic_abort --target wasm32-unknown-unknown) ||
        fail "could not build the standard library for wasm32 (in $dir)"
    local root=()
    ((EUID == 0)) || root=(sudo -n)
    "${root[@]}" mkdir -p "$DISTRO_WASM_LIB"
    for rlib in "$dir"/target/wasm32-unknown-unknown/release/deps/*.rlib; do
        [[ $rlib == */libthrowaway* ]] || "${root[@]}" cp "$rlib" "$DISTRO_WASM_LIB/"
    done
    rm -rf "$dir" target/wasm # what was compiled against another standard library is of no use
}

wasm_ready() {
    (
        source scripts/wasm-env.sh
        [[ -n $WASM_TOOLCHAIN ]]
    )
}

setup_wasm() {
    wasm_ready && return
    if [[ ${WASM_TOOLCHAIN:-} != distro ]] && have rustup; then
        say "adding the wasm32 target to rustup"
        rustup target add wasm32-unknown-unknown >/dev/null 2>&1 && wasm_ready && return
        say "rustup could not add it; using the compiler that Debian packages for browsers"
    fi
    (build_distro_std)
    wasm_ready || fail "there is still no compiler for wasm32"
}

setup_bindgen() {
    local tool=target/tools/release/wasm-bindgen-web source=scripts/wasm-bindgen
    [[ $tool -nt $source/Cargo.lock && $tool -nt $source/src/main.rs ]] && return
    say "compiling wasm-bindgen (once, about a minute)"
    cargo build --quiet --release --locked --manifest-path $source/Cargo.toml --target-dir target/tools
    touch $tool
}

setup_npm() {
    [[ $1/node_modules/.package-lock.json -nt $1/package-lock.json ]] && return
    say "installing the npm packages of $1"
    (cd "$1" && npm ci --loglevel=error --no-audit --no-fund)
    touch "$1/node_modules/.package-lock.json"
}

# Measured, so compiled as the relay is: release profile, no jemalloc, and of the features only QUIC.
setup_moq() {
    local version=$1 tools=$PWD/target/tools install
    [[ $("$tools/bin/moq-relay" --version 2>/dev/null) == *" $version" ]] || {
        say "compiling moq-relay $version (once, some minutes)"
        install=(cargo install --quiet --root "$tools" --version "$version" --no-default-features --features noq moq-relay)
        # Its lock file may name a version that a mirror does not have yet.
        (cd "${HOME:-/}" && unset CARGO_TARGET_DIR && { "${install[@]}" --locked || "${install[@]}"; })
    } || return
    [[ -x $tools/release/bench-moq ]] || say "compiling what puts load on moq-relay (once, some minutes)"
    cargo build --quiet --release --locked --manifest-path bench/moq/Cargo.toml --target-dir "$tools"
}

check_rust
if [[ $mode == moq ]]; then
    setup_moq 0.17.10 || say "moq-relay could not be built; it is left out"
    exit 0
fi
check_node
packages=()
have cc || packages+=(build-essential)
if [[ $mode == test ]]; then
    # Fonts: without any, Chromium measures and paints text as nothing.
    have chromium || packages+=(chromium fonts-dejavu-core)
    have firefox-esr || have firefox || packages+=(firefox-esr)
    have valgrind || packages+=(valgrind)
fi
if [[ $mode == test || $mode == bench ]]; then
    have nats-server || [[ -x /usr/sbin/nats-server ]] || packages+=(nats-server)
fi
((${#packages[@]} == 0)) || apt_install "${packages[@]}"

[[ $mode != bench ]] || exit 0
setup_wasm
setup_bindgen
setup_npm yew-ui

# cargo-nextest is used when it is there and not installed here: it compiles for longer than all of our tests run,
# and `cargo test` runs the same tests.
case $mode in
test)
    setup_npm e2e
    ;;
lint)
    # rustup's stand-ins are there even where the components are not.
    cargo clippy --version >/dev/null 2>&1 && cargo fmt --version >/dev/null 2>&1 || rustup component add clippy rustfmt
    have cargo-deny || cargo_install cargo-deny
    (
        source scripts/wasm-env.sh
        [[ $WASM_TOOLCHAIN == rustup || -x /usr/bin/clippy-driver ]]
    ) || apt_install rust-web-clippy
    ;;
fuzz)
    rustup run nightly rustc --version >/dev/null 2>&1 ||
        rustup toolchain install nightly --profile minimal || fail "cargo-fuzz needs a nightly toolchain"
    have cargo-fuzz || cargo_install cargo-fuzz
    ;;
esac
