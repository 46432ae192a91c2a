#!/usr/bin/env bash
# How far the losses of several layouts drift from one rank's over 300 steps, beside how far one rank drifts from itself when only its
# micro-batches are regrouped: the floor of rounding. Writes docs/layouts.svg and prints the table of docs/layouts.md.
# usage: scripts/layout_noise.sh [WEFT]
source_dir=$(cd "$(dirname "$0")/.." && pwd)
WEFT=$(realpath "${1:-$source_dir/build/release/weft}")
source "$source_dir/tests/runs/toy.sh"
export OMP_WAIT_POLICY=passive OMPI_ALLOW_RUN_AS_ROOT=1 OMPI_ALLOW_RUN_AS_ROOT_CONFIRM=1 OMPI_MCA_rmaps_base_oversubscribe=1

one_rank() { train "$@" --set training.report_freq=1u --set validation.valid_freq=0 --set checkpoint.save_freq=0; }
many_ranks() {
  local n=$1 run=$2
  mpirun --bind-to none -n "$n" "$WEFT" train --config "$WORK/toy.yaml" --set run_dir="$WORK/$run" --set data.prepared="$WORK/prepared" \
    --set training.report_freq=1u --set validation.valid_freq=0 --set checkpoint.save_freq=0 >"$WORK/$run.log" 2>&1
}
losses() { sed -nE 's/.*"part": "train", "step": ([0-9]+),.*"loss": ([0-9.e+-]+),.*/\1 \2/p' "$WORK/$1/run_log.jsonl" >"$WORK/$1.loss"; }

one_rank whole
for rows in 220 130 90; do one_rank "passes of $rows" --set training.micro_batch_size=$rows; done
for n in 2 4 8; do many_ranks $n "$n ranks"; done

echo "| run | largest relative difference of the loss in 300 steps | mean of the last 100 |"
echo "|---|--:|--:|"
losses whole
series=()
for run in "passes of 220" "passes of 130" "passes of 90" "2 ranks" "4 ranks" "8 ranks"; do
  losses "$run"
  paste -d' ' "$WORK/whole.loss" "$WORK/$run.loss" | awk '{ d = $2 - $4; if (d < 0) d = -d; print $1, d / $2 }' >"$WORK/$run.noise"
  awk -v run="$run" '{ if ($2 > m) m = $2; if ($1 > 200) { s += $2; n++ } } END { printf "| %s | %.1e | %.1e |\n", run, m, s / n }' "$WORK/$run.noise"
  series+=("$WORK/$run.noise")
done

awk '
  FNR == 1 { n++; name[n] = FILENAME; sub(/.*\//, "", name[n]); sub(/\.noise$/, "", name[n]) }
  { y = $2 > 1e-9 ? log($2) / log(10) : -9; x = 60 + $1 * 1.8; py = 20 + (-1 - y) * 40; points[n] = points[n] sprintf("%.1f,%.1f ", x, py) }
  END {
    print "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"760\" height=\"400\" font-family=\"sans-serif\" font-size=\"12\">"
    print "<rect width=\"760\" height=\"400\" fill=\"white\"/>"
    for (e = -1; e >= -9; e--) {
      printf "<line x1=\"60\" x2=\"600\" y1=\"%d\" y2=\"%d\" stroke=\"#ddd\"/><text x=\"52\" y=\"%d\" text-anchor=\"end\">1e%d</text>\n", 20 + (-1 - e) * 40, 20 + (-1 - e) * 40, 24 + (-1 - e) * 40, e
    }
    split("#bbb #999 #777 #d62728 #1f77b4 #2ca02c", color, " ")
    for (i = 1; i <= n; i++) {
      printf "<polyline fill=\"none\" stroke=\"%s\" points=\"%s\"/>\n", color[i], points[i]
      printf "<text x=\"610\" y=\"%d\" fill=\"%s\">%s</text>\n", 30 + 20 * i, color[i], name[i]
    }
    print "<text x=\"60\" y=\"375\">step 0 to 300: relative difference of the loss from one rank with whole updates</text></svg>"
  }' "${series[@]}" >"$source_dir/docs/layouts.svg"
