#!/usr/bin/env bash
# Configures and builds one preset; prints nothing but the configure summary and what fails.
# usage: scripts/build.sh [release|debug|asan] [TARGET...]
set -euo pipefail
cd "$(dirname "$0")/.."

preset=${1:-release}
shift || true
cmake --preset "$preset" >"build-$preset.log" 2>&1 || { cat "build-$preset.log" >&2; exit 1; }
cmake --build --preset "$preset" ${1:+--target "$@"} >>"build-$preset.log" 2>&1 || { grep -vE '^\[[0-9]+/[0-9]+\] (Building|Linking)' "build-$preset.log" | tail -n 60 >&2; exit 1; }
