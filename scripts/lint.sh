#!/usr/bin/env bash
# Every check that needs no running program. Warnings are errors.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

# The embedded web app must exist for the server to compile; what is in it does not matter here.
mkdir -p yew-ui/dist

cargo fmt --all --check
cargo fmt --manifest-path scripts/wasm-bindgen/Cargo.toml --check
cargo fmt --manifest-path bench/moq/Cargo.toml --check
# It has a lock file of its own, which changes with the dependencies of `bench`.
cargo metadata --locked --format-version 1 --manifest-path bench/moq/Cargo.toml >/dev/null
scripts/check-deps.sh
cargo deny --log-level error check bans licenses sources
# The release profile, because its build scripts and macros are compiled already.
cargo clippy --release --all-targets -- -D warnings
(
    source scripts/wasm-env.sh
    clippy=(cargo clippy)
    # Clippy must come from the same build as the compiler. Debian has it in a package of its own.
    [[ $WASM_TOOLCHAIN == rustup ]] || clippy=(env CARGO=/usr/bin/cargo /usr/bin/cargo-clippy clippy)
    "${clippy[@]}" --target wasm32-unknown-unknown --profile wasm-release \
        -p videocall-types -p media-core -p videocall-client -p audio-worklet -p denoiser -p opus-codec -p yew-ui -- -D warnings
)
for script in scripts/*.mjs yew-ui/web/*.js videocall-client/*/*.js e2e/*.mjs e2e/*/*.mjs; do
    [[ ! -e $script ]] || node --check "$script"
done
echo "lint: all clean" >&2
