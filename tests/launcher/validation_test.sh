#!/usr/bin/env bash
# Validation that translates: BLEU and chrF in the log are those of `weft translate` and `weft evaluate` on the same checkpoint, on one and
# on two ranks, with averaged weights too; a run that is killed inside a validation does it again and ends with the same values; early
# stopping ends a run, and ends it again when it is started again.
# usage: validation_test.sh WEFT MPIEXEC
WEFT=$1
mpiexec=$2
source "$(dirname "$0")/toy.sh"
export OMP_WAIT_POLICY=passive
metrics=(--set 'validation.valid_metrics=[bleu, chrf, perplexity]' --set training.ema_decay=0 --set model.hidden_size=64 --set model.dropout=0
  --set model.attention_dropout=0 --set model.activation_dropout=0 --set training.learning_rate=4.0e-3)

logged() { grep -oE "step $3 $2 [0-9.]+" "$WORK/$1.log" | tail -n 1 | cut -d' ' -f4; }
# same_scores RUN: what the log says of step 300 is what the other verbs say.
same_scores() {
  "$WEFT" translate --model "$WORK/$1/step-000000000300" <"$WORK/prepared/valid/text.src" >"$WORK/$1.hyp" 2>"$WORK/translate.log" || { cat "$WORK/translate.log"; fail translate; }
  cmp "$WORK/$1.hyp" "$WORK/$1/valid/step-000000000300.txt" || fail "$1: validation translates otherwise than weft translate"
  local metric
  for metric in bleu chrf; do
    local other
    other=$("$WEFT" evaluate --hyp "$WORK/$1.hyp" --ref "$WORK/valid.tgt" --metrics $metric | cut -d' ' -f2)
    [ "$(logged "$1" $metric 300)" = "$other" ] || fail "$1: $metric is '$(logged "$1" $metric 300)' in the log, '$other' by weft evaluate"
  done
  awk -v bleu="$(logged "$1" bleu 300)" 'BEGIN { exit !(bleu > 5) }' || fail "$1: BLEU is '$(logged "$1" bleu 300)': the model has learned nothing"
}

train one "${metrics[@]}" || { cat "$WORK/one.log"; fail "one rank"; }
same_scores one
[ "$(grep -cE '^\[.*\] \[valid\] step [123]00 bleu [0-9.]+ (new best|stalled).*nrefs:1' "$WORK/one.log")" -eq 3 ] || { cat "$WORK/one.log"; fail "three validations with a signature"; }
ls "$WORK"/one/events.out.tfevents.* >/dev/null || fail "no event file"
"$WEFT" evaluate --config "$WORK/one/config.yaml" --set decoding.batch_size=4096 >"$WORK/evaluate.log" 2>&1 || { cat "$WORK/evaluate.log"; fail "evaluate --config"; }
grep -q "^bleu $(logged one bleu 300) " "$WORK/evaluate.log" || { cat "$WORK/evaluate.log"; fail "evaluate --config of a prepared folder gives another BLEU"; }
echo "one rank: BLEU $(logged one bleu 300) in the log, by translate and evaluate too"

"$mpiexec" -n 2 "$WEFT" train --config "$WORK/toy.yaml" --set run_dir="$WORK/two" --set data.prepared="$WORK/prepared" "${metrics[@]}" >"$WORK/two.log" 2>&1 ||
  { cat "$WORK/two.log"; fail "two ranks"; }
same_scores two
echo "two ranks: BLEU $(logged two bleu 300)"

# weft translate takes the averaged weights, and so does validation.
train averaged "${metrics[@]}" --set training.ema_decay=0.95 || { cat "$WORK/averaged.log"; fail "averaged weights"; }
same_scores averaged
echo "averaged weights: BLEU $(logged averaged bleu 300)"

# Killed inside the first validation: it begins with the save of its step.
exec_train killed "${metrics[@]}" --set decoding.beam_size=20 &
pid=$!
for _ in $(seq 600); do
  sleep 0.01
  grep -q 'step 100 committed\|step 100 started' "$WORK/killed.log" 2>/dev/null && break
done
kill -9 $pid 2>/dev/null || true
wait $pid || true
grep -q 'step 100 bleu' "$WORK/killed.log" && echo "(the validation was over before the kill)"
train killed "${metrics[@]}" || { cat "$WORK/killed.log"; fail "resume"; }
for step in 100 200 300; do
  for metric in bleu chrf perplexity; do
    [ "$(logged killed $metric $step)" = "$(logged one $metric $step)" ] || { cat "$WORK/killed.log"; fail "$metric of step $step differs after a kill"; }
  done
done
same_state one killed 300
echo "killed inside a validation: the same scores and the same bytes"

# A learning rate of almost nothing: no second best.
stopping=("${metrics[@]}" --set training.learning_rate=1.0e-30 --set validation.early_stopping=2 --set validation.valid_freq=20u)
train stopped "${stopping[@]}" || { cat "$WORK/stopped.log"; fail "early stopping"; }
grep -q 'step 60, early_stopping reached' "$WORK/stopped.log" || { cat "$WORK/stopped.log"; fail "step 20 is the best, step 60 the second without"; }
train stopped "${stopping[@]}" || { cat "$WORK/stopped.log"; fail "early stopping, again"; }
[ "$(grep -c 'step 60, early_stopping reached' "$WORK/stopped.log")" -eq 2 ] || { cat "$WORK/stopped.log"; fail "stopped again without a step"; }
echo "early stopping ends the run at step 60, and again at once"
