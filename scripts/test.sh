#!/usr/bin/env bash
# All tests. Expects what `make test` prepares: the tools of `scripts/setup.sh test` and the web app in yew-ui/dist.
# Everything runs even when something fails early; the last line is `N passed, N failed`.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
export PATH=$PATH:/usr/sbin # where Debian puts nats-server

logs=$(mktemp -d)
trap 'rm -rf "$logs"' EXIT
passed=0 failed=0 status=0

# Runs a command, shows its output and keeps a copy in $log for counting.
run() {
    log=$logs/$1.log
    shift
    "$@" 2>&1 | tee "$log" || status=1
}
# The sum of the numbers that the expression $1 captures in the log.
sum() { sed -nE 's/\x1b\[[0-9;]*m//g; '"s/$1/\1/p" "$log" | awk '{ n += $1 } END { print n + 0 }'; }

# One call for tests and binaries, so that both are linked against the same build of every dependency: the browser tests
# and some Rust tests start the binaries.
cargo build --release --bins --tests
if cargo nextest --version >/dev/null 2>&1; then
    run rust cargo nextest run --release --no-tests=pass
    ((passed += $(sum '.*Summary.* ([0-9]+) passed.*'))) || true
    ((failed += $(sum '.*Summary.* ([0-9]+) failed.*') + $(sum '.*Summary.* ([0-9]+) timed out.*'))) || true
else
    # nextest kills a test that hangs; here one limit has to do for all.
    run rust timeout --kill-after=10 1800 cargo test --release --no-fail-fast --bins --lib --tests
    ((passed += $(sum '.*test result:.* ([0-9]+) passed.*'))) || true
    ((failed += $(sum '.*test result:.* ([0-9]+) failed.*'))) || true
fi
run doc cargo test --release --no-fail-fast --doc
((passed += $(sum '.*test result:.* ([0-9]+) passed.*'))) || true
((failed += $(sum '.*test result:.* ([0-9]+) failed.*'))) || true

run instructions node scripts/instructions.mjs

# The module is the one of the web app.
run worklet timeout --kill-after=10 120 node --test --test-reporter=spec videocall-client/audio-worklet/processor.test.mjs
((passed += $(sum '.*ℹ pass ([0-9]+)'))) || true
((failed += $(sum '.*ℹ fail ([0-9]+)') + $(sum '.*ℹ cancelled ([0-9]+)'))) || true

shopt -s nullglob
browser_tests=(e2e/tests/*.test.mjs)
if ((${#browser_tests[@]})); then
    run browser timeout --kill-after=10 1800 node --test --test-concurrency=1 --test-reporter=spec "${browser_tests[@]}"
    ((passed += $(sum '.*ℹ pass ([0-9]+)'))) || true
    ((failed += $(sum '.*ℹ fail ([0-9]+)') + $(sum '.*ℹ cancelled ([0-9]+)'))) || true
fi

# A run that broke off, by a crash or a limit, must not read like a good one.
if ((status != 0 && failed == 0)); then failed=1; fi
echo "$passed passed, $failed failed"
exit $status
