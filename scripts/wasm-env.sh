# shellcheck shell=bash
# To be sourced. Chooses the compiler for wasm32 and sets WASM_TOOLCHAIN to `rustup`, `distro` or nothing.
#
# rustup's own target is the normal case. Where rustup cannot download it, setup.sh builds the standard library for the
# compiler that Debian packages for browsers, and everything for wasm32 then runs with that compiler.
# `WASM_TOOLCHAIN=distro` in the environment chooses the second way by force.

DISTRO_RUSTC=/usr/bin/rustc
DISTRO_WASM_LIB=/usr/lib/rustlib/wasm32-unknown-unknown/lib
DISTRO_WASM_LD=wasm-ld-22

if [[ ${WASM_TOOLCHAIN:-} != distro ]] &&
    compgen -G "$(rustc --print sysroot)/lib/rustlib/wasm32-unknown-unknown/lib/libstd-*.rlib" >/dev/null; then
    WASM_TOOLCHAIN=rustup
elif [[ -x $DISTRO_RUSTC ]] && command -v "$DISTRO_WASM_LD" >/dev/null &&
    compgen -G "$DISTRO_WASM_LIB/libstd-*.rlib" >/dev/null; then
    WASM_TOOLCHAIN=distro
    export RUSTC=$DISTRO_RUSTC CARGO_TARGET_WASM32_UNKNOWN_UNKNOWN_LINKER=$DISTRO_WASM_LD
else
    WASM_TOOLCHAIN=
fi

# A folder of its own: native and wasm builds then never wait for each other's lock, and two compilers never rebuild
# each other's build scripts.
export CARGO_TARGET_DIR=${WASM_TARGET_DIR:-target/wasm}
