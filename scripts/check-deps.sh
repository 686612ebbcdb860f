#!/usr/bin/env bash
# Checks that crates depend on each other in one direction only, and that the pure ones stay pure.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
failed=0

# The names of everything that crate $1 is compiled with, on any platform.
dependencies() { cargo tree -p "$1" -e normal,build --target all --prefix none --format '{p}' | sed 's/ .*//' | sort -u; }

# no <crate> <names...>: none of these may be among the dependencies, direct or not. A name may be a pattern.
no() {
    local crate=$1 found
    shift
    found=$(dependencies "$crate" | grep -xE "$(IFS='|' && echo "$*")" | grep -vx "$crate" | tr '\n' ' ' || true)
    if [[ -n $found ]]; then
        echo "check-deps: $crate must not depend on: $found" >&2
        failed=1
    fi
}

runtime=(tokio 'tokio-.*' async-nats sqlx 'sqlx-.*' 'actix-.*' wtransport quinn web-sys gloo 'gloo-.*')
server=(relay-core relay actix-api webtransport-server videocall-server)
client=(media-core videocall-client audio-worklet denoiser opus-codec yew-ui)

no videocall-types "${runtime[@]}" "${server[@]}" "${client[@]}" testkit
no relay-core "${runtime[@]}" relay actix-api webtransport-server videocall-server "${client[@]}" testkit
no media-core "${runtime[@]}" videocall-client audio-worklet yew-ui "${server[@]}" testkit
no relay 'actix-.*' wtransport webtransport-server videocall-server "${client[@]}" testkit
no actix-api wtransport webtransport-server videocall-server "${client[@]}" testkit
no webtransport-server actix-api videocall-server "${client[@]}" testkit
no videocall-server "${client[@]}" testkit
no opus-codec wasm-bindgen "${runtime[@]}" media-core videocall-client yew-ui "${server[@]}" testkit
no audio-worklet wasm-bindgen "${runtime[@]}" videocall-client yew-ui "${server[@]}" testkit
no denoiser wasm-bindgen "${runtime[@]}" media-core videocall-client yew-ui "${server[@]}" testkit
no videocall-client yew-ui "${server[@]}" testkit
no yew-ui "${server[@]}" testkit
no bench "${server[@]}" "${client[@]}" testkit

# The module and the tool that finishes it speak a private format of exactly one version.
library=$(sed -nE 's/^wasm-bindgen = "=([0-9.]+)"/\1/p' Cargo.toml)
tool=$(sed -nE 's/^wasm-bindgen-cli-support = "=([0-9.]+)"/\1/p' scripts/wasm-bindgen/Cargo.toml)
if [[ -z $library || $library != "$tool" ]]; then
    echo "check-deps: wasm-bindgen is '$library' in Cargo.toml but '$tool' in scripts/wasm-bindgen/Cargo.toml" >&2
    failed=1
fi
exit $failed
