#!/usr/bin/env bash
# Opens a meeting in a Chromium with a fake camera and microphone and a fresh profile.
#   ./launch_chrome.sh [url]
# It needs no switch for WebTransport: the page learns the hash of the server's certificate from the server.
set -euo pipefail

url=${1:-http://localhost:8080/meeting/${USER:-guest}/test}
for candidate in chromium chromium-browser google-chrome google-chrome-stable \
    "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome"; do
    if command -v "$candidate" >/dev/null; then
        browser=$candidate
        break
    fi
done
if [[ -z ${browser:-} ]]; then
    echo "launch_chrome: found neither Chromium nor Chrome" >&2
    exit 1
fi

profile=$(mktemp -d)
trap 'rm -rf "$profile"' EXIT
options=(--use-fake-device-for-media-stream --use-fake-ui-for-media-stream --no-first-run
    --autoplay-policy=no-user-gesture-required --user-data-dir="$profile")
((EUID != 0)) || options+=(--no-sandbox) # Chromium's sandbox refuses root
"$browser" "${options[@]}" "$url"
