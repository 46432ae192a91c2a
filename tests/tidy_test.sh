#!/usr/bin/env bash
# clang-tidy (bugprone, performance) over every source of the product. Version 16: older ones lack std::source_location.
# usage: tidy_test.sh SOURCE_DIR BUILD_DIR
set -euo pipefail
cd "$1"
mapfile -t files < <(find runtime parallel layers models state data inference training launcher -name '*.cpp')
[ "${#files[@]}" -gt 40 ] || { echo "only ${#files[@]} files found: the check itself is broken"; exit 1; }
messages=$(mktemp)
trap 'rm -f "$messages"' EXIT
printf '%s\0' "${files[@]}" | xargs -0 -P "$(nproc)" -n 4 clang-tidy-16 --quiet --extra-arg=-Wno-unknown-warning-option \
  -p "$2" 2>"$messages" || { cat "$messages"; exit 1; }
echo "${#files[@]} files are clean"
