#!/usr/bin/env bash
# clang-tidy (bugprone, performance) over every source of the product.
# usage: tidy_test.sh SOURCE_DIR BUILD_DIR
set -euo pipefail
cd "$1"
mapfile -t files < <(find runtime parallel layers models state data inference training launcher -name '*.cpp')
[ "${#files[@]}" -gt 40 ] || { echo "only ${#files[@]} files found: the check itself is broken"; exit 1; }
printf '%s\0' "${files[@]}" | xargs -0 -P "$(nproc)" -n 4 clang-tidy --quiet -p "$2" 2>/dev/null
echo "${#files[@]} files are clean"
