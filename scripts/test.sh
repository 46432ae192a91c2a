#!/usr/bin/env bash
# Sets up, builds and runs the tests. --slow adds the long ones.
# usage: scripts/test.sh [--slow]
set -euo pipefail
cd "$(dirname "$0")/.."

labels=(--label-exclude slow)
case "${1:-}" in
  "") ;;
  --slow) labels=() ;;
  -h | --help) sed -n '2,3s/^# \{0,1\}//p' "$0"; exit 0 ;;
  *) echo "usage: scripts/test.sh [--slow]" >&2; exit 64 ;;
esac

scripts/setup.sh
echo "test: building (log: build-release.log)"
scripts/build.sh release
status=0
ctest --preset release "${labels[@]}" --parallel "$(nproc)" | tee build/release/ctest.log || status=$?
# ctest names the skipped tests, and keeps their reasons for its log file.
reasons=$(awk '/^SKIPPED: / { print substr($0, 10) } after { print; after = 0 } /: Skipped$/ { after = 1 }' \
  build/release/Testing/Temporary/LastTest.log | sort | uniq -c)
if [ -n "$reasons" ]; then
  echo "skipped, by reason:"
  echo "$reasons"
  grep -E '[0-9]+% tests passed' build/release/ctest.log
fi
exit $status
