#!/usr/bin/env bash
# An installed weft runs, and the configurations and the documentation lie where a distribution expects them.
# usage: install_test.sh BUILD_DIR
set -euo pipefail
prefix=$(mktemp -d)
trap 'rm -rf "$prefix"' EXIT
fail() { echo "FAILED: $*"; exit 1; }

cmake --install "$1" --prefix "$prefix" >"$prefix/install.log" || { cat "$prefix/install.log"; fail "cmake --install"; }
[ "$("$prefix/bin/weft" --version)" = "$("$1/weft" --version)" ] || fail "the installed weft has another version"
cd "$prefix"
bin/weft plan -c share/weft/configs/translation_tiny.yaml >plan.txt || fail "weft plan with an installed configuration"
grep -q 'fits' plan.txt || { cat plan.txt; fail "weft plan says nothing"; }
page=$(grep -o 'docs/[a-z]*\.md' share/doc/weft/README.md | head -n 1)
[ -n "$page" ] && [ -f "share/doc/weft/$page" ] || fail "README.md names '$page', which is not there"
echo "installed: bin/weft, share/weft/configs, share/doc/weft"
