#!/usr/bin/env bash
# Builds the web app into yew-ui/dist, from where the server binary embeds it.
#   scripts/build-ui.sh [--release|--dev]
# The page, its `{{names}}` and what each stands for: yew-ui/index.html and scripts/assemble-ui.mjs.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

case ${1:---release} in
--release) profile=wasm-release folder=wasm-release ;;
--dev) profile=dev folder=debug ;;
*)
    echo "usage: scripts/build-ui.sh [--release|--dev]" >&2
    exit 2
    ;;
esac
if [[ -n ${RUSTFLAGS:-} ]]; then
    echo "build-ui: RUSTFLAGS is set and would replace the flags of .cargo/config.toml; unset it" >&2
    exit 1
fi

source scripts/wasm-env.sh
if [[ -z $WASM_TOOLCHAIN ]]; then
    echo "build-ui: no compiler for wasm32; run scripts/setup.sh build" >&2
    exit 1
fi

cargo build --target wasm32-unknown-unknown --profile "$profile" -p yew-ui -p audio-worklet -p denoiser -p opus-codec
compiled=$CARGO_TARGET_DIR/wasm32-unknown-unknown/$folder
built=$CARGO_TARGET_DIR/ui/$folder
mkdir -p "$built"

digest() { cat -- "$@" | sha256sum; }
# True when the stamp $1 says $2 already. The caller writes it after the step has worked.
unchanged() { [[ -f $1 && $(<"$1") == "$2" ]]; }

beside=("$compiled"/{audio_worklet,denoiser,opus_codec}.wasm)
modules=$(digest "$compiled/yew-ui.wasm" "${beside[@]}" scripts/build-ui.sh yew-ui/package-lock.json)
if ! unchanged "$built/.modules" "$modules"; then
    rm -rf "$built/snippets"
    target/tools/release/wasm-bindgen-web "$compiled/yew-ui.wasm" "$built" app
    cp "${beside[@]}" "$built/"
    if [[ $profile == wasm-release ]]; then
        for module in app_bg audio_worklet denoiser opus_codec; do
            # The features are those that Rust's wasm32 target has on by default.
            yew-ui/node_modules/.bin/wasm-opt -Os --enable-bulk-memory --enable-bulk-memory-opt --enable-multivalue \
                --enable-mutable-globals --enable-nontrapping-float-to-int --enable-reference-types \
                --enable-sign-ext "$built/$module.wasm" -o "$built/$module.opt"
            mv "$built/$module.opt" "$built/$module.wasm"
        done
    fi
    echo "$modules" >"$built/.modules"
fi

# Everything that can change the page, its styles or its names. Tailwind looks for class names in all of yew-ui.
mapfile -d '' sources < <(find yew-ui -path yew-ui/node_modules -prune -o -path 'yew-ui/dist*' -prune -o -type f -print0 | sort -z)
page=$(
    {
        echo "$modules" "$profile" "${sources[@]}"
        digest "${sources[@]}" videocall-client/{audio-worklet/processor,opus/webcodecs,painter/painter}.js scripts/assemble-ui.mjs
    } | sha256sum
)
# One stamp for both profiles: they share the folder.
stamp=$CARGO_TARGET_DIR/ui/.dist
if [[ -f yew-ui/dist/index.html ]] && unchanged "$stamp" "$page"; then
    exit 0
fi

compress=() minify=()
[[ $profile == dev ]] || compress=(--compress) minify=(--minify)
yew-ui/node_modules/.bin/tailwindcss --cwd yew-ui -i style.css -o "$PWD/$built/app.css" "${minify[@]}" 2>"$built/tailwind.log" || {
    cat "$built/tailwind.log" >&2
    exit 1
}
# Swapped in as a whole, so that a failure leaves the last good build.
rm -f "$stamp"
node scripts/assemble-ui.mjs "$built" yew-ui/dist.new "${compress[@]}"
rm -rf yew-ui/dist
mv yew-ui/dist.new yew-ui/dist
echo "$page" >"$stamp"
echo "build-ui: $(du -h --apparent-size yew-ui/dist/assets/app-*.wasm | cut -f1) of WebAssembly in yew-ui/dist" >&2
