#!/usr/bin/env bash
# An exported model: it needs nothing else, computes what its run computes, holds the averaged weights, and is taken wherever a model is.
# usage: export_test.sh WEFT MPIEXEC
WEFT=$1
mpiexec=$2
export OMP_WAIT_POLICY=passive
source "$(dirname "$0")/toy.sh"

# refused CODE PATTERN ARGS...
refused() {
  local code=$1 pattern=$2 found=0
  shift 2
  "$WEFT" "$@" >"$WORK/none" 2>"$WORK/err" </dev/null || found=$?
  [ $found -eq "$code" ] || { cat "$WORK/err"; fail "exit $found, expected $code: $*"; }
  grep -q -- "$pattern" "$WORK/err" || { cat "$WORK/err"; fail "does not say '$pattern': $*"; }
}
same() { cmp "$WORK/$1" "$WORK/$2" || fail "$1 and $2 differ"; }
outputs() { # MODEL NAME: what the model does, into NAME
  "$WEFT" translate --model "$1" --set decoding.scores=word <"$WORK/valid.src" 2>"$WORK/err"
  "$WEFT" score --model "$1" --src "$WORK/valid.src" --tgt "$WORK/valid.tgt" 2>"$WORK/err"
  "$WEFT" evaluate --model "$1" --src "$WORK/valid.src" --ref "$WORK/valid.tgt" 2>"$WORK/err"
}
# checksums FOLDER PREFIX: name and checksum of the tensors whose names begin so, without the prefix
checksums() { "$WEFT" inspect "$1" | awk -v p="$2" '$NF ~ /^[0-9a-f]+$/ && length($NF) == 32 && index($1, p) == 1 { print substr($1, length(p) + 1), $NF }' | sort; }

for kind in averaged plain bf16 untied; do
  case $kind in
    averaged) set_=training.ema_decay=0.99 ;;
    plain) set_=training.ema_decay=0 ;;
    bf16) set_="precision.dtype=bf16 training.ema_decay=0.9" ;;
    untied) set_="vocab.share_vocab=false model.tied_embeddings=none vocab.vocab_size=50 data.prepared=$WORK/separate" ;;
  esac
  if [ $kind = untied ]; then
    "$WEFT" prepare --config "$WORK/toy.yaml" "$WORK/data.yaml" --out "$WORK/separate" --set $set_ data.prepared=null >"$WORK/prepare.log" 2>&1 ||
      { cat "$WORK/prepare.log"; fail prepare; }
  fi
  train $kind --set precision.dtype=fp32 training.train_steps=120 checkpoint.save_freq=60u $set_ || { cat "$WORK/$kind.log"; fail "train"; }
  [ "$("$WEFT" export --model "$WORK/$kind" --out "$WORK/$kind.out" 2>"$WORK/err")" = "$WORK/$kind.out" ] || { cat "$WORK/err"; fail "export $kind"; }
  outputs "$WORK/$kind" >"$WORK/of_run"
  from=$("$WEFT" export --model "$WORK/$kind" --out "$WORK/$kind.again" 2>&1 >/dev/null | sed -n 's/.*its outputs are those of //p')
  case $kind in plain) prefix="" ;; *) prefix=ema. ;; esac
  checksums "$from" "$prefix" | grep -v '^exp_avg' >"$WORK/stored" || true
  checksums "$WORK/$kind.out" "" >"$WORK/exported"
  [ "$(lines "$WORK/exported")" -gt 50 ] || fail "$kind: $(lines "$WORK/exported") tensors"
  same stored exported
  mv "$WORK/$kind" "$WORK/$kind.gone"
  outputs "$WORK/$kind.out" >"$WORK/of_model"
  same of_run of_model
  [ "$(lines "$WORK/of_run")" -eq 123 ] || fail "$(lines "$WORK/of_run") lines of outputs"
  cmp "$WORK/$kind.out/model.safetensors" "$WORK/$kind.again/model.safetensors" || fail "two exports differ"
  echo "$kind: the exported model alone does what its run did"
done

# A checkpoint by whatever name: its vocabulary is in the run directory where it really lies. A copy has none, and learns what to do.
mv "$WORK/plain.gone" "$WORK/plain"
step=$(basename "$(ls -d "$WORK/plain"/step-* | tail -n 1)")
ln -s "$WORK/plain/$step" "$WORK/best"
cp -r "$WORK/plain/$step" "$WORK/alone"
head -n 3 "$WORK/valid.src" | "$WEFT" translate --model "$WORK/plain/$step" >"$WORK/named" 2>"$WORK/err"
for place in "$WORK best" "$WORK/plain/$step ." "$WORK/plain/$step ../$step/" "$WORK plain/$step"; do
  head -n 3 "$WORK/valid.src" | (cd "${place% *}" && "$WEFT" translate --model "${place#* }") >"$WORK/other" 2>"$WORK/err" || { cat "$WORK/err"; fail "$place"; }
  same named other
done
refused 64 'weft export makes a self-contained folder' translate --model "$WORK/alone"
# What a decoding verb does not load may be damaged.
printf 'x' | dd of="$WORK/plain/$step/optimizer-00000-of-00001.safetensors" bs=1 seek=100000 conv=notrunc status=none
head -n 3 "$WORK/valid.src" | "$WEFT" translate --model "$WORK/plain" >"$WORK/other" 2>"$WORK/err" || { cat "$WORK/err"; fail "damaged moments"; }
grep -q "$step" "$WORK/err" || { cat "$WORK/err"; fail "another checkpoint"; }
! "$WEFT" inspect "$WORK/plain/$step" >"$WORK/none" || fail "the moments are not damaged"
echo "a checkpoint is found by link and by . and only what is loaded is verified"

model=$WORK/averaged.out
mkdir "$WORK/empty"
"$mpiexec" -n 2 "$WEFT" export --model "$model/" --out "$WORK/empty/" >"$WORK/name" 2>"$WORK/err" || { cat "$WORK/err"; fail "export of an export"; }
[ "$(cat "$WORK/name")" = "$WORK/empty/" ] || fail "on two ranks: $(cat "$WORK/name")"
cmp "$model/model.safetensors" "$WORK/empty/model.safetensors" || fail "an export of an export"

refused 64 'already exists' export --model "$model" --out "$WORK/empty"
refused 64 'already exists' export --model "$model" --out "$WORK/toy.yaml"
refused 64 'no --out' export --model "$model"
refused 64 'no model' export --out "$WORK/x"
refused 64 'not supported yet' export --model "$model" --out "$WORK/x" --format huggingface
refused 64 'nearest   ctranslate2' export --model "$model" --out "$WORK/x" --format ctranslate
refused 64 'does not exist' export --model "$model" --out "$WORK/no/such/folder"
refused 64 'has no exp_avg' train --config "$WORK/toy.yaml" --set run_dir="$WORK/fresh" data.prepared="$WORK/prepared" checkpoint.resume="$model"
[ ! -e "$WORK/x" ] || fail "a refused export leaves a folder"

# Damage shows before anything is written.
printf '\001' | dd of="$model/model.safetensors" bs=1 seek=100000 conv=notrunc 2>"$WORK/none"
refused 77 'checksum' translate --model "$model"
refused 77 'checksum' export --model "$model" --out "$WORK/x"
"$WEFT" inspect "$model" >"$WORK/shown" && fail "inspect takes a damaged model"
grep -q 'damaged: ' "$WORK/shown" || fail "inspect does not say what is damaged"
[ -z "$(find "$WORK" -name '.tmp-export*')" ] || fail "a temporary folder is left"
echo "wrong options, full folders and damaged models are refused"
