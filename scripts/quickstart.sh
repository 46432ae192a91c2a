#!/usr/bin/env bash
# Sets up, builds, and trains a small translation model on your own two files: one sentence a line, line i of one translates line i of
# the other. Run it again to go on from the newest checkpoint; Ctrl-C saves and stops.
# usage: scripts/quickstart.sh SRC TGT [RUN_DIR]
set -euo pipefail

if [ $# -lt 2 ] || [ $# -gt 3 ]; then
  echo "usage: scripts/quickstart.sh SRC TGT [RUN_DIR]      two text files of parallel sentences" >&2
  exit 64
fi
src=$(realpath "$1") tgt=$(realpath "$2") run_dir=$(realpath -m "${3:-runs/quickstart}")
cd "$(dirname "$0")/.."

scripts/setup.sh
echo "quickstart: building (log: build-release.log)"
scripts/build.sh release weft
exec build/release/launcher/weft train --config configs/translation_tiny.yaml \
  --set "data.train=[{src: $src, tgt: $tgt}]" --set "run_dir=$run_dir"
