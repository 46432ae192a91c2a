#!/usr/bin/env bash
# Sets up, builds and runs the tests. --slow adds the long ones.
# usage: scripts/test.sh [--slow]
set -euo pipefail
cd "$(dirname "$0")/.."

labels=(--label-exclude slow)
case "${1:-}" in
  "") ;;
  --slow) labels=() ;;
  *) echo "usage: scripts/test.sh [--slow]" >&2; exit 64 ;;
esac

scripts/setup.sh
echo "test: building (log: build-release.log)"
scripts/build.sh release
ctest --preset release "${labels[@]}" --parallel "$(nproc)"
