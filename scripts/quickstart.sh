#!/usr/bin/env bash
# Sets up, builds, and trains a small translation model on your own two files: one sentence a line, line i of one translates line i of
# the other. The last lines are held out to show how well unseen text is predicted. Run it again to go on from the newest checkpoint;
# Ctrl-C saves and stops.
# usage: scripts/quickstart.sh SRC TGT [RUN_DIR [--set section.key=value]...]
set -euo pipefail

usage() {
  echo "usage: scripts/quickstart.sh SRC TGT [RUN_DIR [--set section.key=value]...]      two text files of parallel sentences" >&2
  exit 64
}
[ $# -ge 2 ] || usage
for file in "$1" "$2"; do
  [ -f "$file" ] && [ -r "$file" ] || { echo "quickstart: $file: no such file, or not readable" >&2; exit 64; }
done
src=$(realpath "$1") tgt=$(realpath "$2") run_dir=$(realpath -m "${3:-runs/quickstart}")
shift 2
[ $# -eq 0 ] || shift
cd "$(dirname "$0")/.."

lines=$(wc -l <"$src")
[ "$lines" -eq "$(wc -l <"$tgt")" ] || { echo "quickstart: $src has $lines lines, $tgt has $(wc -l <"$tgt"): they must be parallel" >&2; exit 64; }
[ "$lines" -ge 100 ] || { echo "quickstart: $src has $lines lines: too few to learn from" >&2; exit 64; }

scripts/setup.sh
echo "quickstart: building (log: build-release.log)"
scripts/build.sh release weft

held_out=$((lines / 50 < 500 ? lines / 50 : 500))
text=$run_dir/text
mkdir -p -m 0700 "$run_dir" "$text"
for side in src tgt; do
  head -n $((lines - held_out)) "${!side}" >"$text/train.$side"
  tail -n "$held_out" "${!side}" >"$text/valid.$side"
done
echo "quickstart: $((lines - held_out)) pairs to learn from, the last $held_out held out"

status=0
build/release/weft train --config configs/translation_tiny.yaml --set "run_dir=\"$run_dir\"" \
  --set "data.train=[{src: \"$text/train.src\", tgt: \"$text/train.tgt\"}]" \
  --set "data.valid={src: \"$text/valid.src\", tgt: \"$text/valid.tgt\"}" "$@" || status=$?
case $status in
  0) echo "quickstart: done. Translate with: build/release/weft translate --model $run_dir < FILE" ;;
  75) echo "quickstart: stopped and saved. The same command goes on." ;;
esac
exit $status
