#!/usr/bin/env bash
# Validation that translates: BLEU and chrF in the log are those of `weft translate` and `weft evaluate` on the same checkpoint, on one and
# on two ranks, with averaged weights too; a run that is killed inside a validation does it again and ends with the same values; early
# stopping ends a run, and ends it again when it is started again.
# usage: validation_test.sh WEFT MPIEXEC
WEFT=$1
mpiexec=$2
source "$(dirname "$0")/toy.sh"
source "$(dirname "$0")/job.sh"
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
  awk -v bleu="$(logged "$1" bleu 300)" 'BEGIN { exit !(bleu > 2) }' || fail "$1: BLEU is '$(logged "$1" bleu 300)': the model has learned nothing"
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

# Validation searches, whatever decoding asks of the other verbs: draws would depend on the ranks.
train drawn "${metrics[@]}" --set decoding.sample=true decoding.n_best=3 decoding.alignment=hard training.train_steps=120 || { cat "$WORK/drawn.log"; fail "decoding.sample"; }
[ "$(logged drawn bleu 100)" = "$(logged one bleu 100)" ] || { cat "$WORK/drawn.log"; fail "BLEU with decoding.sample is '$(logged drawn bleu 100)', not '$(logged one bleu 100)'"; }
# A change of the words of BLEU starts its best anew, and no other.
train drawn "${metrics[@]}" --set validation.tokenize=char training.train_steps=200 || { cat "$WORK/drawn.log"; fail "validation.tokenize"; }
grep -q 'warning: validation.tokenize 13a -> char: the best bleu is reset' "$WORK/drawn.log" && grep -q 'step 200 bleu .* new best.*tok:char' "$WORK/drawn.log" ||
  { cat "$WORK/drawn.log"; fail "validation.tokenize on a resume"; }
"$WEFT" evaluate --config "$WORK/drawn/config.yaml" --metrics bleu 2>&1 | grep -q "^bleu $(logged drawn bleu 200) .*tok:char" || fail "evaluate --config has other words than validation"

# weft translate takes the averaged weights, and so does validation.
train averaged "${metrics[@]}" --set training.ema_decay=0.95 || { cat "$WORK/averaged.log"; fail "averaged weights"; }
same_scores averaged
echo "averaged weights: BLEU $(logged averaged bleu 300)"

# Killed inside the first validation, which is long and begins with the save of its step.
exec_train killed "${metrics[@]}" --set decoding.beam_size=200 --set checkpoint.async_save=false &
pid=$!
wait_for 60 grep -q 'step 100 committed' "$WORK/killed.log" || { cat "$WORK/killed.log"; fail "step 100 is not saved"; }
kill -9 $pid
wait $pid || true
grep -q 'step 100 bleu' "$WORK/killed.log" && fail "the validation was over before the kill: give it more to do"
train killed "${metrics[@]}" || { cat "$WORK/killed.log"; fail "resume"; }
for step in 100 200 300; do
  for metric in bleu chrf perplexity; do
    [ "$(logged killed $metric $step)" = "$(logged one $metric $step)" ] || { cat "$WORK/killed.log"; fail "$metric of step $step differs after a kill"; }
  done
done
grep -q '\[resume\] step 100 ' "$WORK/killed.log" || { cat "$WORK/killed.log"; fail "the resume is not from the step whose validation was killed"; }
same_state one killed 300
echo "killed inside a validation: the same scores and the same bytes"

# A learning rate of almost nothing: no second best.
stopping=("${metrics[@]}" --set 'validation.valid_metrics=[perplexity]' --set training.learning_rate=1.0e-30 --set validation.early_stopping=2 --set validation.valid_freq=20u)
train stopped "${stopping[@]}" || { cat "$WORK/stopped.log"; fail "early stopping"; }
grep -q 'step 60, early_stopping reached' "$WORK/stopped.log" || { cat "$WORK/stopped.log"; fail "step 20 is the best, step 60 the second without"; }
train stopped "${stopping[@]}" || { cat "$WORK/stopped.log"; fail "early stopping, again"; }
[ "$(grep -c 'step 60, early_stopping reached' "$WORK/stopped.log")" -eq 2 ] || { cat "$WORK/stopped.log"; fail "stopped again without a step"; }
echo "early stopping ends the run at step 60, and again at once"

# A request to stop inside a validation of two ranks: acknowledged, saved, and the validation is the first thing that the next start does.
corpus many 800 3
exec_asked() {
  exec "$mpiexec" -n 2 "$WEFT" train --config "$WORK/toy.yaml" --config "$WORK/data.yaml" --set run_dir="$WORK/asked" "data.valid={src: $WORK/many.src, tgt: $WORK/many.tgt}" \
    'validation.valid_metrics=[bleu]' validation.valid_freq=20u training.train_steps=20 decoding.beam_size=30 checkpoint.async_save=false >"$WORK/asked.log" 2>&1
}
exec_asked &
pid=$!
wait_for 60 grep -q 'step 20 committed' "$WORK/asked.log" || { cat "$WORK/asked.log"; fail "step 20 is not saved"; }
kill -USR1 $pid
asked=$(now_ms)
wait_for 2 grep -q 'stop requested' "$WORK/asked.log" || { cat "$WORK/asked.log"; fail "a stop is not acknowledged"; }
status=0
wait $pid || status=$?
[ $status -eq 75 ] || { cat "$WORK/asked.log"; fail "a stop inside a validation: exit $status"; }
grep -q 'step 20 is saved, as was asked; its validation comes first' "$WORK/asked.log" || { cat "$WORK/asked.log"; fail "not stopped inside the validation"; }
echo "asked inside a validation: ends $(($(now_ms) - asked)) ms later"
(exec_asked) || { cat "$WORK/asked.log"; fail "the start after a stop"; }
[ "$(grep -c 'step 20 bleu' "$WORK/asked.log")" -eq 1 ] || { cat "$WORK/asked.log"; fail "the validation that was due"; }
cp "$WORK/asked/run_log.jsonl" "$WORK/before.jsonl"
(exec_asked) || { cat "$WORK/asked.log"; fail "the start after the end"; }
cmp "$WORK/asked/run_log.jsonl" "$WORK/before.jsonl" || fail "a finished run adds to its log"
grep -q '\[done\] step 20' "$WORK/asked.log" || fail "a finished run does not say so"

# A model that gives no numbers: bad validations, then 78; the verbs that decode say the same.
status=0
train diverged "${metrics[@]}" --set training.optimizer=sgd training.learning_rate=1.0e+30 training.max_grad_norm=0 training.warmup_steps=0 \
  validation.valid_freq=5u checkpoint.save_freq=5u || status=$?
[ $status -eq 78 ] || { cat "$WORK/diverged.log"; fail "a diverged run: exit $status"; }
grep -q 'step 10 bleu nan stalled 2 times (no best yet)' "$WORK/diverged.log" || { cat "$WORK/diverged.log"; fail "a bad validation"; }
status=0
"$WEFT" translate --model "$WORK/diverged" <"$WORK/valid.src" >"$WORK/translate.log" 2>&1 || status=$?
[ $status -eq 78 ] && grep -q '^weft: .*not finite' "$WORK/translate.log" || { cat "$WORK/translate.log"; fail "translate with a diverged model: exit $status"; }
status=0
"$WEFT" score --model "$WORK/diverged" --src "$WORK/valid.src" --tgt "$WORK/valid.tgt" >"$WORK/translate.log" 2>&1 || status=$?
[ $status -eq 78 ] && grep -q '^weft: .*not finite' "$WORK/translate.log" || { cat "$WORK/translate.log"; fail "score with a diverged model: exit $status"; }
echo "a diverged model: 78 from train, translate and score"
