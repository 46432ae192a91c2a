#!/usr/bin/env bash
# What goes wrong around a run, seen from outside: signals, a second run, damage, another model, other data, a full disk.
# usage: faults_test.sh WEFT
WEFT=$1
source "$(dirname "$0")/toy.sh"

# expect CODE PATTERN RUN ARGS...: the run ends with the code and says the pattern.
expect() {
  local code=$1 pattern=$2 run=$3 status=0
  shift 3
  : >"$WORK/$run.log"
  train "$run" "$@" || status=$?
  [ "$status" -eq "$code" ] || { cat "$WORK/$run.log"; fail "$run: exit $status, expected $code"; }
  grep -q -- "$pattern" "$WORK/$run.log" || { cat "$WORK/$run.log"; fail "$run: does not say '$pattern'"; }
}
flip_byte() {
  local size at
  size=$(stat -c %s "$1"); at=$((size / 2))
  printf "$(printf '\\%03o' $(($(od -An -tu1 -j $at -N 1 "$1") ^ 1)))" | dd of="$1" bs=1 seek=$at conv=notrunc status=none
}
newest() { ls -d "$WORK/$1"/step-* | tail -n 1; }

expect 0 'step 300, train_steps reached' straight
echo "a run ends with 0"

for signal in TERM USR1 INT; do
  run=stopped-$signal
  (trap - INT; exec_train "$run" --set checkpoint.save_freq=0) &
  pid=$!
  for _ in $(seq 500); do sleep 0.02; [ "$(lines "$WORK/$run/run_log.jsonl")" -ge 1 ] && break; done
  if [ "$signal" = USR1 ]; then
    status=0
    "$WEFT" train --config "$WORK/toy.yaml" --set run_dir="$WORK/$run" --set data.prepared="$WORK/prepared" >"$WORK/second.log" 2>&1 || status=$?
    [ "$status" -eq 64 ] && grep -q "$pid" "$WORK/second.log" || { cat "$WORK/second.log"; fail "a second run in one directory: exit $status"; }
    echo "a second run in one directory is refused and names the holder"
  fi
  kill -"$signal" $pid
  status=0
  wait $pid || status=$?
  [ "$status" -eq 75 ] || { cat "$WORK/$run.log"; fail "SIG$signal: exit $status, expected 75"; }
  train "$run" --set checkpoint.save_freq=0
  same_state straight "$run" 300
  echo "SIG$signal saves, ends with 75, and the run goes on to the same bytes"
done

cp -r "$WORK/straight" "$WORK/damaged"
flip_byte "$(newest damaged)/weights-00000-of-00001.safetensors"
expect 0 'resume.*step 280' damaged
same_state straight damaged 300
echo "a damaged newest checkpoint is skipped, and the run ends with the same bytes"

cp -r "$WORK/straight" "$WORK/lost"
for step in "$WORK"/lost/step-*; do truncate -s -1 "$step/optimizer-00000-of-00001.safetensors"; done
expect 77 'no whole checkpoint\|none is whole\|none of' lost
echo "checkpoints that are all damaged end with 77"

cp -r "$WORK/straight" "$WORK/model"
expect 64 'found     model.ffn_size 64 -> 128' model --set model.ffn_size=128
echo "a checkpoint of another model is refused, the key is named"

"$WEFT" prepare --config "$WORK/toy.yaml" --set "data.train=[{src: $WORK/valid.src, tgt: $WORK/valid.tgt}]" \
  --set validation.valid_freq=null --set "vocab.src=$WORK/prepared/vocab.model" --set "vocab.tgt=$WORK/prepared/vocab.model" --out "$WORK/other" >/dev/null 2>&1
expect 64 'other data' straight --set data.prepared="$WORK/other"
echo "other data are refused"

expect 78 'gradient norm is not finite (10 in a row)' numerics --set training.optimizer=sgd --set training.learning_rate=1.0e+18 \
  --set training.warmup_steps=0 --set training.max_grad_norm=0
[ "$(grep -c 'weights and moments stay as they were' "$WORK/numerics.log")" -ge 9 ] || fail "skipped updates are warned about"
echo "non-finite updates are skipped, and ten in a row end with 78"

expect 64 'resume: never' straight --set checkpoint.resume=never
: >"$WORK/a_file"
expect 64 'not a folder' a_file
echo "a run directory that is a file is refused"

if mkdir "$WORK/small" && mount -t tmpfs -o size=69500k tmpfs "$WORK/small" 2>/dev/null; then
  trap 'umount -l "$WORK/small"; rm -rf "$WORK"' EXIT
  # A save wants 64 MiB of room beside the 750 kB of the checkpoint: a few fit, the next does not while all are kept.
  expect 79 'No space left on device\|free' small/run --set checkpoint.keep_checkpoint=9 --set validation.valid_freq=0
  grep -q 'save 1 of 3 that may fail in a row' "$WORK/small/run.log" || fail "a failed save does not say what happens next"
  "$WEFT" inspect "$WORK/small/run" >"$WORK/inspect.log" || { cat "$WORK/inspect.log"; fail "a full disk damaged a checkpoint"; }
  [ "$(grep -c whole "$WORK/inspect.log")" -ge 1 ] || fail "no checkpoint is left"
  echo "a full disk: training goes on, the old checkpoints stay whole, then 79"
else
  echo "SKIPPED: no tmpfs can be mounted here, so no really full disk (the injected one is in state_test)"
fi

printf 'ka1lo ka2lo\n\nka3lo\n   \nka4lo ka5lo ka6lo' >"$WORK/in"
"$WEFT" translate --model "$WORK/straight" --set decoding.beam_size=1 <"$WORK/in" >"$WORK/out" 2>/dev/null
[ "$(wc -l <"$WORK/out")" -eq 5 ] || { cat "$WORK/out"; fail "5 lines in, $(wc -l <"$WORK/out") out"; }
[ -z "$(sed -n 2p "$WORK/out")" ] || fail "an empty line gives an empty line"
"$WEFT" translate --model "$WORK/straight" <"$WORK/in" >"$WORK/out" 2>/dev/null
[ "$(wc -l <"$WORK/out")" -eq 5 ] || fail "a beam of 5 gives a line for every line"
"$WEFT" translate --model "$WORK/straight" --n-best 3 <"$WORK/in" >"$WORK/n_best" 2>/dev/null
[ "$(grep -c '^[024] ||| .* ||| log_prob= -[0-9.]* ||| -[0-9.]*$' "$WORK/n_best")" -eq 9 ] || { cat "$WORK/n_best"; fail "3 outputs for each of 3 lines"; }
grep '^[024] |||' "$WORK/n_best" | awk -F' \\|\\|\\| ' -v id=-1 '$1 != id { id = $1; print $2 }' | diff - <(sed -n '1p;3p;5p' "$WORK/out") ||
  fail "the first of the n best is the translation"
echo "translate gives a line for every line, and the n best"

# What the search says about its own output is what `score` says about it.
sed -n '1p;3p;5p' "$WORK/in" >"$WORK/src"
sed -n '1p;3p;5p' "$WORK/out" >"$WORK/tgt"
paste "$WORK/src" "$WORK/tgt" | "$WEFT" score --model "$WORK/straight" >"$WORK/scores" 2>/dev/null
"$WEFT" score --model "$WORK/straight" --src "$WORK/src" --tgt "$WORK/tgt" 2>/dev/null | diff - "$WORK/scores" || fail "files and stdin score alike"
[ "$(wc -l <"$WORK/scores")" -eq 3 ] || fail "3 pairs, $(wc -l <"$WORK/scores") scores"
status=0
"$WEFT" score --model "$WORK/straight" --src "$WORK/in" --tgt "$WORK/tgt" >/dev/null 2>"$WORK/score.log" || status=$?
[ "$status" -eq 64 ] && grep -q 'in has 5 lines, .*tgt has 3' "$WORK/score.log" || { cat "$WORK/score.log"; fail "unequal line counts are named"; }
echo "score gives a log probability for every pair"
