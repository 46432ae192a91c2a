#!/usr/bin/env bash
# What may change when a run goes on, and what may not. Another model and other text are refused before anything is touched; other numbers are
# named; other batches begin where the data can be cut anew; the best checkpoint stays; a limit that is raised goes on.
# usage: resume_changes_test.sh WEFT
WEFT=$1
source "$(dirname "$0")/toy.sh"
# One run, with the text in its own folder: go RUN [--set ...]
go() {
  local run=$1
  shift
  "$WEFT" train --config "$WORK/toy.yaml" "$WORK/data.yaml" --set run_dir="$WORK/$run" training.train_steps=40 "$@" >"$WORK/$run.log" 2>&1
}
log_has() { grep -q -- "$2" "$WORK/$1.log" || { cat "$WORK/$1.log"; fail "$1: does not say '$2'"; }; }
refused() {
  local status=0
  go "$1" "${@:3}" || status=$?
  [ $status -eq 64 ] || { cat "$WORK/$1.log"; fail "${*:3}: exit $status, expected 64"; }
  log_has "$1" "$2"
}
go run || { cat "$WORK/run.log"; fail "run"; }
# The last step was saved before it was judged: whoever died in between judges it at the next start, and nobody judges it twice.
rm "$WORK/run/valid/step-000000000040.json"
go run || { cat "$WORK/run.log"; fail "run, at its last step"; }
log_has run '\[valid\] step 40 '
go run || { cat "$WORK/run.log"; fail "run, once more"; }
grep -q '\[valid\]' "$WORK/run.log" && fail "a run that is done is judged again"
sums() { (cd "$WORK/run" && find prepared step-* -type f ! -name .stamps.json | LC_ALL=C sort | xargs sha256sum); }
sums >"$WORK/before"
refused run 'belongs to another model' model.num_heads=2
log_has run 'found     model.num_heads 4 -> 2$'
refused run 'belongs to another model' model.activation=gelu model.norm_position=post
corpus other 1500 3
refused run 'was made from other text or with other settings' data.train="[{src: $WORK/other.src, tgt: $WORK/other.tgt}]"
log_has run 'found     checkpoints trained on it'
refused run 'was made from other text or with other settings' model.max_length=32
diff "$WORK/before" <(sums) || fail "a refusal has changed the run"
echo "another model and other text are refused, named, and nothing is touched"

# Prepared data that do not go with the configuration.
misfit() {
  local status=0
  train misfit "${@:2}" || status=$?
  [ $status -eq 64 ] || { cat "$WORK/misfit.log"; fail "${*:2}: exit $status, expected 64"; }
  log_has misfit "$1"
}
misfit 'model.max_length: 8 is less than' --set model.max_length=8
misfit 'vocab.share_vocab: does not match' --set vocab.share_vocab=false model.tied_embeddings=none
echo "prepared data with longer sentences or other vocabularies are refused"

go run training.train_steps=60 training.batch_size=150 training.learning_rate=1.0e-3 model.dropout=0.2 || { cat "$WORK/run.log"; fail "run with other numbers"; }
log_has run 'within tolerance, not bit for bit: model.dropout 0.1 -> 0.2, training.batch_size 400 -> 150, training.learning_rate 0.002 -> 0.001'
go run training.train_steps=80 training.batch_size=150 training.learning_rate=1.0e-3 model.dropout=0.2 || { cat "$WORK/run.log"; fail "run goes on"; }
log_has run 'step 60 from .* bit for bit'
grep -q 'not bit for bit' "$WORK/run.log" && fail "what was changed before is no change"
corpus other_valid 30 4
go run training.train_steps=100 training.batch_size=150 training.learning_rate=1.0e-3 model.dropout=0.2 \
  data.valid="{src: $WORK/other_valid.src, tgt: $WORK/other_valid.tgt}" || { cat "$WORK/run.log"; fail "another validation text"; }
log_has run 'step 80 from .* bit for bit'
log_has run 'the validation text has changed: the best scores are reset'
echo "other numbers are named, once; other validation text is no change"

# A vocabulary that was learned with nmt_nfkc is recorded as it was before there was a choice: the run keeps it without the key, another is refused.
go old vocab.normalization=nmt_nfkc data.valid=null validation.valid_freq=null || { cat "$WORK/old.log"; fail "nmt_nfkc"; }
go old training.train_steps=60 data.valid=null validation.valid_freq=null || { cat "$WORK/old.log"; fail "a vocabulary from before the key"; }
log_has old 'learned with vocab.normalization: nmt_nfkc, which this run keeps'
log_has old 'step 40 from .* bit for bit'
go old training.train_steps=80 || { cat "$WORK/old.log"; fail "a vocabulary from before the key, and other validation text"; }
log_has old 'step 60 from .* bit for bit'
go old training.train_steps=80 || { cat "$WORK/old.log"; fail "once more"; }
refused old 'was made from other text or with other settings' vocab.normalization=nfkc
echo "a run keeps the normalization of its vocabulary"

# What the run did not write is used or refused, never overwritten.
mkdir "$WORK/mine" "$WORK/taken"
cp "$WORK/old/vocab.model" "$WORK/mine"   # learned with another rule
refused mine 'vocab.model: exists already and is not the vocabulary that the settings give'
log_has mine 'found     vocab.normalization: nmt_nfkc$'
cmp "$WORK/mine/vocab.model" "$WORK/old/vocab.model" || fail "a refused vocabulary is overwritten"
"$WEFT" vocab --config "$WORK/toy.yaml" "$WORK/data.yaml" --set run_dir="$WORK/taken" data.train="[{src: $WORK/other.src, tgt: $WORK/other.tgt}]" >"$WORK/name" 2>&1
sha256sum <"$WORK/taken/vocab.model" >"$WORK/sum"
go taken || { cat "$WORK/taken.log"; fail "a vocabulary of weft vocab"; }
go taken training.train_steps=60 || { cat "$WORK/taken.log"; fail "a vocabulary of weft vocab, again"; }
log_has taken 'step 40 from .* bit for bit'
for file in vocab.model prepared/vocab.model; do
  diff "$WORK/sum" <(sha256sum <"$WORK/taken/$file") || fail "the vocabulary of weft vocab is not used: $file"
done
rm "$WORK/mine/vocab.model"
echo '# mine' >"$WORK/mine/config.yaml"
refused mine 'config.yaml: exists already and was not written by this run'
ln -s "$WORK/nowhere" "$WORK/dangling"
refused dangling 'is a symbolic link to .*nowhere, which is not there'
echo "what a run did not write is used or refused"

# A changed byte of the prepared data is found at the next start, and made good.
sha256sum <"$WORK/run/prepared/train/source.bin" >"$WORK/sum"
printf 'x' | dd of="$WORK/run/prepared/train/source.bin" bs=1 seek=1000 conv=notrunc status=none
go run training.train_steps=120 training.batch_size=150 training.learning_rate=1.0e-3 model.dropout=0.2 \
  data.valid="{src: $WORK/other_valid.src, tgt: $WORK/other_valid.tgt}" || { cat "$WORK/run.log"; fail "a changed byte"; }
log_has run 'train/source.bin: is not as it was prepared, by its checksum; prepared again'
diff "$WORK/sum" <(sha256sum <"$WORK/run/prepared/train/source.bin") || fail "the changed byte is still there"
mv "$WORK/train.src" "$WORK/moved.src"
refused run "data.prepared: $WORK/run/prepared" training.train_steps=120
mv "$WORK/moved.src" "$WORK/train.src"
refused run 'is a run directory' run_dir="$WORK/new" checkpoint.resume="$WORK/run"
log_has run 'expected  one of its checkpoints, for example .*/run/step-0'
echo "a changed byte, moved text and a run directory as a checkpoint are answered"

# Judged once: many saves of the next start later, with no end that would be judged, the best is still there.
go best validation.valid_freq=40u || { cat "$WORK/best.log"; fail "best"; }
train_on() {
  exec "$WEFT" train --config "$WORK/toy.yaml" "$WORK/data.yaml" --set run_dir="$WORK/best" training.train_steps=100000 \
    validation.valid_freq=100000u checkpoint.save_freq=10u >"$WORK/best.log" 2>&1
}
train_on &
pid=$!
for _ in $(seq 1000); do grep -q 'step 120 committed' "$WORK/best.log" && break; sleep 0.02; done
kill -9 $pid
wait $pid 2>/dev/null || true
log_has best 'step 120 committed'
[ -e "$WORK/best/step-000000000040/manifest.json" ] || fail "the best is gone: $(ls "$WORK/best")"
[ ! -e "$WORK/best/step-000000000050" ] || fail "nothing is pruned, so this shows nothing"
echo "the best checkpoint stays across starts"
