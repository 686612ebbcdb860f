#!/usr/bin/env bash
# Serves with quick builds and rebuilds whatever changes. Web app: reload the page. Server: restarted by itself.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

binary=target/debug/videocall-server
mark=target/dev-mark
server= started=
mkdir -p target yew-ui/dist
export UI_DIR=${UI_DIR:-$PWD/yew-ui/dist} # from the folder, so that a change of the page needs no new binary

stop() {
    [[ -z $server ]] || kill "$server" 2>/dev/null || true
    [[ -z $server ]] || wait "$server" 2>/dev/null || true
    server=
}
trap stop EXIT
trap 'exit 130' INT TERM

rebuild() {
    touch "$mark" # before building: what changes meanwhile counts for the next round
    scripts/build-ui.sh --dev || echo "dev: the web app does not build" >&2
    if ! cargo build -p videocall-server; then
        echo "dev: the server does not build; the last good one keeps running" >&2
        return 0
    fi
    local built
    built=$(stat -c %Y.%s "$binary")
    if [[ $built != "$started" ]]; then
        stop
        "$binary" &
        server=$! started=$built
    fi
}

# Anything of the workspace that is newer than the last build.
changed() {
    [[ -n $(find . \( -name target -o -name node_modules -o -name dist -o -name dist.new -o -name .git -o -name data -o -path ./e2e \) \
        -prune -o -type f ! -name '*.log' -newer "$mark" -print -quit) ]]
}

rebuild
while true; do
    sleep 1
    if changed; then rebuild; fi
done
