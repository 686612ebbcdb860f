#!/usr/bin/env bash
# Starts the development server: builds everything, serves it, rebuilds on change.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")"
exec make dev
