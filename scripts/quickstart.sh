#!/usr/bin/env bash
# From nothing to a translation and its BLEU: installs what is missing, builds, makes a corpus of real text (English and Italian, Debian's
# package descriptions), learns a vocabulary, trains on two MPI ranks, translates the held-out test and scores it. Run it again: it goes on
# from what is there. Ctrl-C is safe at any point.
# usage: scripts/quickstart.sh                         the corpus above, configs/quickstart.yaml
#        scripts/quickstart.sh SRC TGT [RUN_DIR]       your own two files of parallel sentences; the last lines are held out
#        further options go to training:               ... --set training.train_steps=500
set -euo pipefail
cd_from=$PWD
cd "$(dirname "$0")/.."

say() { echo "quickstart: $*"; }
refuse() { echo "quickstart: $*" >&2; exit 64; }
started=$SECONDS
phase() {  # phase NAME COMMAND...: and how long it took
  local name=$1 begin=$SECONDS code=0
  shift
  say "$name"
  "$@" || code=$?
  say "$name: $((SECONDS - begin)) s"
  return $code
}

# hold_out SRC TGT RUN_DIR: RUN_DIR/text/{train,valid}.{src,tgt}
hold_out() {
  local lines held_out text=$3/text side file
  for file in "$1" "$2"; do [ -f "$file" ] && [ -r "$file" ] || refuse "$file: no such file, or not readable"; done
  lines=$(wc -l <"$1")
  [ "$lines" -eq "$(wc -l <"$2")" ] || refuse "$1 has $lines lines, $2 has $(wc -l <"$2"): they must be parallel"
  [ "$lines" -ge 100 ] || refuse "$1 has $lines lines: too few to learn from"
  held_out=$((lines / 50 < 500 ? lines / 50 : 500))
  mkdir -p -m 0700 "$3" "$text"
  for side in src tgt; do
    [ $side = src ] && file=$1 || file=$2
    head -n $((lines - held_out)) "$file" >"$text/train.$side"
    tail -n "$held_out" "$file" >"$text/valid.$side"
  done
  say "$((lines - held_out)) pairs to learn from, the last $held_out held out"
}

# How many updates there is time for, at most those of the configuration: from the speed of the first hundred, which are a part of the run.
# Kept beside the run, so that a second start goes on with the same number.
in_all=690 after_training=60 probe=100  # seconds after the packages; seconds for validations, translating and scoring; updates
updates_file=runs/quickstart.updates
choose_updates() {
  [ ! -s "$updates_file" ] || return 0
  local step_ms left most
  most=$(sed -nE 's/^  train_steps: ([0-9]+).*/\1/p' "$config")
  $weft launch -n 2 -- train --config "$config" "$@" --set training.train_steps=$probe --set training.decay_steps="$most" \
    --set training.report_freq=$((probe / 2))u --set 'validation.valid_metrics=[perplexity]' || return $?
  left=$((in_all - after_training - (SECONDS - started)))
  step_ms=$(sed -nE 's/.*"part": "train".*"step_ms": ([0-9.]+).*/\1/p' "$run_dir/run_log.jsonl" | tail -n 1)
  awk -v ms="$step_ms" -v left="$left" -v most="$most" \
    'BEGIN { n = int(left * 10 / ms) * 100; if (n < 1000) n = 1000; if (n > most) n = most; print n }' >"$updates_file"
  say "an update takes ${step_ms%.*} ms on this machine: $(cat "$updates_file") updates"
  say "the first $probe are kept; [resume] names what is decided since: the length of the decay, which begins behind them"
}

case "${1:-}" in -h | --help) sed -n '2,7s/^# \{0,1\}//p' "$0"; exit 0 ;; esac
config=configs/quickstart.yaml
grep -qw amx_bf16 /proc/cpuinfo && [ -z "${WEFT_MAX_CPU_ISA:-}" ] || config=configs/quickstart_small.yaml
settings=()
if [ $# -eq 0 ] || [ "$1" = --set ]; then
  corpus=runs/corpus/it run_dir=runs/quickstart
  train=("$corpus/train.en" "$corpus/train.it") test=("$corpus/test.en" "$corpus/test.it")
else
  [[ $# -ge 2 && $1 != --* && $2 != --* ]] || refuse "$1: expected two files, SRC and TGT, or nothing; --help says more"
  source_file=$(cd "$cd_from" && realpath -m "$1") target_file=$(cd "$cd_from" && realpath -m "$2") run_dir=runs/own
  shift 2
  if [ $# -gt 0 ] && [ "$1" != --set ]; then run_dir=$(cd "$cd_from" && realpath -m "$1"); shift; fi
  config=configs/translation_tiny.yaml
  hold_out "$source_file" "$target_file" "$run_dir"
  text=$run_dir/text
  train=("$text/train.src" "$text/train.tgt") test=("$text/valid.src" "$text/valid.tgt")
  settings=(--set "run_dir=\"$run_dir\"" --set "data.train=[{src: \"${train[0]}\", tgt: \"${train[1]}\"}]"
    --set "data.valid={src: \"${test[0]}\", tgt: \"${test[1]}\"}")
fi
[ $# -eq 0 ] || [ "$1" = --set ] || refuse "$1: unexpected; further options begin with --set"
weft=build/release/weft

scripts/setup.sh
started=$SECONDS  # what the packages take depends on the network
phase "building (log: build-release.log)" scripts/build.sh release weft
[ "$run_dir" != runs/quickstart ] || phase "corpus" scripts/make_corpus.py runs/corpus --languages it
chosen_by_user=$(printf '%s\n' "$@" | grep -c '^training\.\(train_steps\|max_epochs\)=' || true)
if [ "$run_dir" = runs/quickstart ] && [ "$chosen_by_user" -eq 0 ]; then
  phase "measuring this machine" choose_updates "$@"
  settings+=(--set training.train_steps=$(cat "$updates_file"))
fi

status=0
phase "training on 2 ranks, $run_dir" $weft launch -n 2 -- train --config "$config" "${settings[@]}" "$@" || status=$?
[ $status -ne 75 ] || say "stopped and saved. The same command goes on."
[ $status -eq 0 ] || exit $status

out=$run_dir/test
mkdir -p "$out"
translate_test() {
  $weft translate --model "$run_dir" <"${test[0]}" >"$out/translation.new"
  mv "$out/translation.new" "$out/translation"
}
phase "translating $(wc -l <"${test[0]}") held-out lines" translate_test
phase "translation memory, to compare with" scripts/baselines.py "${train[@]}" "${test[0]}" "$out/memory"

echo
paste "${test[0]}" "${test[1]}" "$out/translation" | awk -F '\t' '
  { n = split($1, words, " ") }
  NF == 3 && n >= 6 && n <= 18 && shown < 6 { shown++; printf "  source      %s\n  reference   %s\n  translation %s\n\n", $1, $2, $3 }'
score() {  # score NAME FILE: one line of the table
  local scores
  scores=$($weft evaluate --hyp "$2" --ref "${test[1]}" --metrics bleu,chrf | cut -d' ' -f2 | paste -sd' ')
  printf '  %-30s %6s %6s\n' "$1" $scores
}
printf '  %-30s %6s %6s\n' "$(wc -l <"${test[0]}") held-out lines" BLEU chrF
score "this model" "$out/translation"
score "copying the source" "${test[0]}"
score "translation memory" "$out/memory"
echo
say "done in $((SECONDS - started)) s. Your own text: $weft translate --model $run_dir < FILE"
