#!/usr/bin/env bash
# checkpoint.init_from: a new run starts with the weights and the vocabulary of another, which need not be there any more afterwards; and
# checkpoint.reset: [data] goes on with other text.
# usage: init_from_test.sh WEFT
WEFT=$1
. "$(dirname "$0")/toy.sh"

corpus other 300 5
other=(--set "data.train=[{src: $WORK/other.src, tgt: $WORK/other.tgt}]")
# tune RUN [--set ...]: fine-tunes the teacher on the other text.
tune() {
  local run=$1
  shift
  "$WEFT" train --config "$WORK/toy.yaml" --set run_dir="$WORK/$run" "${other[@]}" --set validation.valid_freq=0 --set training.train_steps=20 "$@" \
    >>"$WORK/$run.log" 2>&1
}
# refused RUN WORDS [--set ...]: exit 64, and the words are said.
refused() {
  local run=$1 words=$2 code=0
  shift 2
  tune "$run" "$@" || code=$?
  [ $code -eq 64 ] || { cat "$WORK/$run.log"; fail "$run: exit $code instead of 64"; }
  grep -qF "$words" "$WORK/$run.log" || { cat "$WORK/$run.log"; fail "$run does not say: $words"; }
}

train teacher --set training.train_steps=60 --set data.valid=null --set validation.valid_freq=0 || { cat "$WORK/teacher.log"; fail "teacher"; }
from=(--set checkpoint.init_from="$WORK/teacher")

tune pupil "${from[@]}" || { cat "$WORK/pupil.log"; fail "pupil"; }
grep -qE '\[init\] ([0-9]+) of \1 tensors from .*/teacher/step-0*60$' "$WORK/pupil.log" || { cat "$WORK/pupil.log"; fail "what was taken is not said"; }
cmp "$WORK/teacher/vocab.model" "$WORK/pupil/vocab.model" || fail "the pupil has another vocabulary"

refused alone "has no tensor of a name and shape of this model" "${from[@]}" --set model.hidden_size=64 --set model.ffn_size=96
tune wide "${from[@]}" --set model.ffn_size=96 || { cat "$WORK/wide.log"; fail "wide"; }
grep -q 'drawn fresh, since its shape differs: .*fc1.weight' "$WORK/wide.log" || { cat "$WORK/wide.log"; fail "what was drawn fresh is not said"; }

tune stranger || { cat "$WORK/stranger.log"; fail "stranger"; }
cp "$WORK/stranger/vocab.model" "$WORK/own.model"
refused mixed "checkpoint.init_from" "${from[@]}" --set vocab.src="$WORK/own.model" --set vocab.vocab_size=32000
refused nowhere "no such folder" --set checkpoint.init_from="$WORK/nobody"
refused both "cannot be combined with checkpoint.resume" "${from[@]}" --set checkpoint.resume="$WORK/teacher/$(ls "$WORK/teacher" | grep step- | tail -1)"

mv "$WORK/teacher" "$WORK/gone"
tune pupil "${from[@]}" --set training.train_steps=30 || { cat "$WORK/pupil.log"; fail "the pupil does not go on without its teacher"; }
grep -q 'checkpoint.init_from is ignored' "$WORK/pupil.log" || fail "that init_from is not read is not said"

corpus third 300 6
other=(--set "data.train=[{src: $WORK/third.src, tgt: $WORK/third.tgt}]")
refused pupil "checkpoint.reset: [data]" --set training.train_steps=40
tune pupil --set training.train_steps=40 --set 'checkpoint.reset=[data, optimizer]' || { cat "$WORK/pupil.log"; fail "reset"; }
grep -q 'starts anew: optimizer, data' "$WORK/pupil.log" || { cat "$WORK/pupil.log"; fail "what starts anew is not said"; }
cmp "$WORK/gone/vocab.model" "$WORK/pupil/vocab.model" || fail "other text brought another vocabulary"
tune pupil --set training.train_steps=50 --set 'checkpoint.reset=[data, optimizer]' || { cat "$WORK/pupil.log"; fail "after the reset"; }
[ "$(grep -c 'starts anew' "$WORK/pupil.log")" -eq 1 ] || fail "a reset is repeated"
echo "init_from and reset: right"
