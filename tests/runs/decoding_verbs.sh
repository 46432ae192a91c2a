#!/usr/bin/env bash
# Each verb that decodes, once, for sanitizers: training that validates by translating, translate, score and evaluate.
# usage: decoding_verbs.sh WEFT
WEFT=$(realpath "$1")
source "$(dirname "$0")/toy.sh"

must() { "$@" 2>"$WORK/err" || { cat "$WORK/err"; fail "$*"; }; }
train run --set 'validation.valid_metrics=[bleu, chrf, perplexity]' --set training.train_steps=40 --set validation.valid_freq=20u ||
  { cat "$WORK/run.log"; fail "train"; }
[ "$(grep -c ' bleu ' "$WORK/run.log")" -eq 2 ] || { cat "$WORK/run.log"; fail "two validations"; }
for options in decoding.beam_size=1 decoding.sample=true "decoding.n_best=3 decoding.scores=word" decoding.alignment=soft; do
  must "$WEFT" translate --model "$WORK/run" --set $options <"$WORK/valid.src" >"$WORK/out"
done
must "$WEFT" translate --model "$WORK/run" <"$WORK/valid.src" >"$WORK/out"
paste "$WORK/valid.src" "$WORK/valid.tgt" >"$WORK/pairs"
must "$WEFT" score --model "$WORK/run" <"$WORK/pairs" >"$WORK/scores"
must "$WEFT" evaluate --hyp "$WORK/out" --ref "$WORK/valid.tgt" --metrics bleu,chrf,ter
[ "$(wc -l <"$WORK/out") $(wc -l <"$WORK/scores")" = "60 60" ] || fail "60 lines in, $(wc -l <"$WORK/out") and $(wc -l <"$WORK/scores") out"
echo "the verbs that decode end well"
