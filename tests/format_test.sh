#!/usr/bin/env bash
# Every C++ file is formatted as .clang-format says.
# usage: format_test.sh SOURCE_DIR
set -euo pipefail
cd "$1"
mapfile -t files < <(find runtime parallel layers models state data inference training launcher benchmarks tests -name '*.h' -o -name '*.cpp')
[ "${#files[@]}" -gt 50 ] || { echo "only ${#files[@]} files found: the check itself is broken"; exit 1; }
clang-format --dry-run --Werror "${files[@]}"
echo "${#files[@]} files are formatted"
