# Sourced by the tests that run the program: a corpus made here (a "translation" that reverses the words and renames them), a small
# configuration, and helpers. Needs WEFT (the program) and sets WORK (removed at the end).
set -euo pipefail
export OMP_NUM_THREADS=${OMP_NUM_THREADS:-1}
WORK=$(mktemp -d)
trap 'rm -rf "$WORK"' EXIT

fail() { echo "FAILED: $*" >&2; exit 1; }

# draw_seed [SEED]: of RANDOM; without one WEFT_TEST_SEED, without that the clock.
draw_seed() {
  seed=${1:-${WEFT_TEST_SEED:-$(date +%s)}}
  RANDOM=$((seed % 32768))
  echo "seed $seed (WEFT_TEST_SEED=$seed draws the same again)"
}

# corpus NAME LINES SEED: NAME.src and NAME.tgt
corpus() {
  awk -v n="$2" -v seed="$3" -v src="$WORK/$1.src" -v tgt="$WORK/$1.tgt" 'BEGIN {
    srand(seed)
    for (i = 0; i < n; i++) {
      length_ = 2 + int(rand() * 9); s = ""; t = ""
      for (j = 0; j < length_; j++) { w = int(rand() * 40); s = s (j ? " " : "") "ka" w "lo"; t = "mi" w "ru" (j ? " " : "") t }
      print s > src; print t > tgt
    }
  }'
}

corpus train 1500 1
corpus valid 60 2
cat >"$WORK/data.yaml" <<EOF
data:
  train: [{src: $WORK/train.src, tgt: $WORK/train.tgt}]
  valid: {src: $WORK/valid.src, tgt: $WORK/valid.tgt}
EOF
cat >"$WORK/toy.yaml" <<EOF
task: translation
seed: 7
vocab: {vocab_size: 58, byte_fallback: false}
model: {hidden_size: 32, ffn_size: 64, num_layers: 2, num_heads: 4, dropout: 0.1, attention_dropout: 0.1, activation_dropout: 0.1, max_length: 64}
training: {batch_size: 400, learning_rate: 2.0e-3, warmup_steps: 50, train_steps: 300, label_smoothing: 0.1, ema_decay: 0.99, report_freq: 50u}
validation: {valid_freq: 100u}
checkpoint: {save_freq: 20u}
precision: {dtype: fp32}   # auto depends on the processor
EOF

# train RUN [--set ...]: one process; its messages go to RUN.log. All runs share one prepared folder.
train() { (exec_train "$@"); }
# The same in place of the shell, so that `exec_train ... & kill -9 $!` meets the program itself.
exec_train() {
  local run=$1
  shift
  exec "$WEFT" train --config "$WORK/toy.yaml" --set run_dir="$WORK/$run" --set data.prepared="$WORK/prepared" "$@" >>"$WORK/$run.log" 2>&1
}
# lines FILE: how many; none when there is no such file.
lines() { if [ -f "$1" ]; then wc -l <"$1"; else echo 0; fi; }
"$WEFT" prepare --config "$WORK/toy.yaml" "$WORK/data.yaml" --out "$WORK/prepared" >"$WORK/prepare.log" 2>&1 || { cat "$WORK/prepare.log"; fail "prepare"; }

# same_state A B STEP: the tensors of both checkpoints are the same bytes.
same_state() {
  local folder=step-$(printf '%012d' "$3") file
  for file in weights optimizer; do
    cmp "$WORK/$1/$folder/$file-00000-of-00001.safetensors" "$WORK/$2/$folder/$file-00000-of-00001.safetensors" ||
      fail "$1 and $2 differ at step $3: $file"
  done
}
