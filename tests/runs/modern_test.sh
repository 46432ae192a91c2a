#!/usr/bin/env bash
# A model with every key of today (grouped heads of their own size, RMS norm, SwiGLU, rotary positions, no biases): it resumes bit for bit, trains
# alike on data-parallel and tensor-parallel ranks and goes on from one to the other; its tensors are named, exported and translated with; a
# checkpoint of other keys is another model.
# usage: modern_test.sh WEFT MPIEXEC
WEFT=$1
mpiexec=$2
export OMP_WAIT_POLICY=passive
source "$(dirname "$0")/toy.sh"
source "$(dirname "$0")/job.sh"
keys=(--set model.num_kv_heads=2 model.head_dim=16 model.norm=rms_norm model.activation=swiglu model.positions=rope model.rope_pairing=interleaved
  model.bias=false model.norm_position=pre training.ema_decay=0 training.report_freq=20u checkpoint.save_freq=40u validation.valid_freq=80u)
# sum_of FILE: of what it holds
sum_of() { sha256sum <"$1"; }

must on_ranks 1 straight "${keys[@]}" training.train_steps=80
for steps in 40 80; do must on_ranks 1 resumed "${keys[@]}" training.train_steps=$steps; done
same_files straight resumed 80
must on_ranks 2 data "${keys[@]}" training.train_steps=80
same_loss straight data 80
must on_ranks 2 tensor "${keys[@]}" parallel.tensor=2 training.train_steps=40
must on_ranks 2 tensor "${keys[@]}" training.train_steps=60
must on_ranks 2 tensor "${keys[@]}" parallel.tensor=2 training.train_steps=80
same_loss straight tensor 80
echo "one rank, resumed, data 2, and tensor 2 -> data 2 -> tensor 2 train the same model"

"$WEFT" inspect "$WORK/tensor/step-000000000080" >"$WORK/inspect.txt" || { cat "$WORK/inspect.txt"; fail "inspect"; }
for tensor in 'decoder.layers.1.ffn.gate_proj.weight .*64.*32' 'encoder.layers.0.ffn.up_proj.weight .*64.*32' 'encoder.layers.0.ffn.down_proj.weight .*32.*64' \
  'encoder.layers.0.self_attn.q_proj.weight .*64.*32' 'decoder.layers.0.cross_attn.k_proj.weight .*32.*32' 'decoder.norm.weight .*32'; do
  grep -q "^$tensor" "$WORK/inspect.txt" || { cat "$WORK/inspect.txt"; fail "no $tensor"; }
done
! grep -qE '\.bias|ffn\.fc|position\.weight|rotation|slopes' "$WORK/inspect.txt" || { cat "$WORK/inspect.txt"; fail "tensors that this model does not have"; }
for run in straight tensor; do
  "$WEFT" export --model "$WORK/$run" --out "$WORK/$run.out" >"$WORK/out" 2>&1 || { cat "$WORK/out"; fail "export"; }
  for model in "$run" "$run.out"; do
    "$WEFT" translate --model "$WORK/$model" --set decoding.alignment=hard <"$WORK/valid.src" >"$WORK/$model.txt" 2>"$WORK/out" || { cat "$WORK/out"; fail "translate"; }
  done
  cmp "$WORK/$run.txt" "$WORK/$run.out.txt" || fail "$run: the export translates otherwise"
  [ "$(lines "$WORK/$run.txt")" -eq 60 ] || fail "$(lines "$WORK/$run.txt") lines"
done
echo "the tensors have their names; export and run translate alike"

cp -r "$WORK/straight" "$WORK/wrong"
before=$(sum_of "$WORK/wrong/config.yaml")
wrong 1 64 'model.num_kv_heads 2 -> 4' "${keys[@]}" model.num_kv_heads=4
wrong 1 64 'model.rope_base 10000 -> 500000' "${keys[@]}" model.rope_base=500000
wrong 1 64 'model.rope_pairing interleaved -> half' "${keys[@]}" model.rope_pairing=half
wrong 1 64 'model.head_dim 16 -> null' "${keys[@]}" model.head_dim=null
wrong 1 64 'model.positions rope -> alibi' "${keys[@]}" model.positions=alibi model.rope_pairing=null
[ "$before" = "$(sum_of "$WORK/wrong/config.yaml")" ] || fail "a refused resume touches the run"
rm -r "$WORK/wrong"
wrong 2 64 'parallel.tensor: 2 does not divide model.num_kv_heads = 1' "${keys[@]}" model.num_kv_heads=1 parallel.tensor=2
wrong 1 64 'rope turns pairs of numbers, and a head has 15' "${keys[@]}" model.head_dim=15
[ ! -e "$WORK/wrong" ] || fail "a wrong model makes a run directory"
echo "another model is refused, with what differs"
