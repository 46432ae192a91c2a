#!/usr/bin/env bash
# Ranks that share the matrices of a model: data 2 x tensor 2 trains what data 4 trains, ends with the same bytes every time, across kills of
# a random rank, and goes on as tensor 4, data 4 or one rank; validation translates as weft translate does; wrong input ends all ranks with 64,
# a checkpoint without a shard with 77.
# usage: tensor_parallel_test.sh WEFT MPIEXEC [SEED]
WEFT=$1
mpiexec=$2
export OMP_WAIT_POLICY=passive
source "$(dirname "$0")/toy.sh"
source "$(dirname "$0")/job.sh"
draw_seed "${3:-}"
folder_of() { echo "$WORK/$1/step-$(printf '%012d' "$2")"; }
keys=(--set "validation.valid_metrics=[perplexity, bleu]" decoding.beam_size=2 training.max_grad_norm=0.5)

must on_ranks 4 shared "${keys[@]}" --set parallel.tensor=2
grep -q '4 ranks (data 2 x tensor 2) x 1 thread' "$WORK/shared.log" || fail "the start does not say the grid"
must on_ranks 4 whole "${keys[@]}"
same_loss shared whole 300
killed_on 4 killed "${keys[@]}" --set parallel.tensor=2
same_files shared killed 300
cmp "$WORK/shared/valid/step-000000000300.txt" "$WORK/killed/valid/step-000000000300.txt" || fail "translations of validation differ after kills"
echo "data 2 x tensor 2: the loss of data 4, the same bytes after kills"

# What tensor-parallel ranks have translated in validation, one rank translates alike, but for ties that rounding decides.
for run in shared whole; do
  "$WEFT" translate --model "$(folder_of $run 300)" --set decoding.beam_size=2 <"$WORK/valid.src" >"$WORK/$run.txt" 2>"$WORK/translate.log" ||
    { cat "$WORK/translate.log"; fail "translate"; }
  differ=$(diff "$WORK/$run.txt" "$WORK/$run/valid/step-000000000300.txt" | grep -c '^<' || true)
  [ "$differ" -le 2 ] || fail "$run: $differ of 60 lines are translated otherwise in validation"
done
echo "validation translates what weft translate does"

cp -r "$WORK/shared" "$WORK/chain"
: >"$WORK/chain.log"
must on_ranks 4 chain "${keys[@]}" --set parallel.tensor=4 training.train_steps=340
grep -q 'step 300 .*within tolerance, not bit for bit: data 2 -> 1, tensor 2 -> 4' "$WORK/chain.log" || { cat "$WORK/chain.log"; fail "tensor 4 is not said"; }
must on_ranks 1 chain "${keys[@]}" --set training.train_steps=380
grep -q 'step 340 .*world 4 -> 1, tensor 4 -> 1' "$WORK/chain.log" || { cat "$WORK/chain.log"; fail "one rank is not said"; }
must on_ranks 4 chain "${keys[@]}" --set training.train_steps=400
must on_ranks 4 chain "${keys[@]}" --set parallel.tensor=2 training.train_steps=450
must on_ranks 4 whole "${keys[@]}" --set training.train_steps=450
same_loss chain whole 450
"$WEFT" inspect "$WORK/chain" >"$WORK/inspect.txt" || { cat "$WORK/inspect.txt"; fail "inspect"; }
echo "data 2 x tensor 2 -> tensor 4 -> one rank -> data 4 -> data 2 x tensor 2: every change is said, and the run ends at the loss of data 4"

for stage in 0 2; do
  must on_ranks 4 stage$stage "${keys[@]}" --set parallel.tensor=2 parallel.zero_stage=$stage training.train_steps=100
  same_loss stage$stage whole 100
done
must on_ranks 2 tuned --set parallel.tensor=2 training.train_steps=20 training.report_freq=10u checkpoint.init_from="$WORK/whole"
grep -qE '\[init\] ([0-9]+) of \1 tensors' "$WORK/tuned.log" || { cat "$WORK/tuned.log"; fail "init_from takes all tensors"; }
# In bfloat16 a resume takes what all of a group hold from the first of them: the others must have held the same bits.
must on_ranks 4 straight16 --set parallel.tensor=2 precision.dtype=bf16 training.train_steps=100
for steps in 60 100; do must on_ranks 4 resumed16 --set parallel.tensor=2 precision.dtype=bf16 training.train_steps=$steps; done
same_files straight16 resumed16 100
echo "zero_stage 0 and 2, a resume in bfloat16, and init_from, with tensor-parallel ranks"

wrong 4 64 'parallel.tensor: 3 does not divide model.num_heads = 4' --set parallel.tensor=3
wrong 4 64 'parallel.tensor: 4 does not divide model.ffn_size = 66' --set parallel.tensor=4 model.ffn_size=66
wrong 3 64 'parallel.tensor: 2 does not divide the number of ranks = 3' --set parallel.tensor=2
[ ! -e "$WORK/wrong" ] || fail "a wrong grid makes a run directory"
"$WEFT" plan --config "$WORK/toy.yaml" --set parallel.tensor=2 --ranks 4 >"$WORK/plan.txt" && grep -q 'each of 4 ranks (data 2 x tensor 2)' "$WORK/plan.txt" ||
  { cat "$WORK/plan.txt"; fail "plan"; }
# A shard is missing in one checkpoint: stepped over. In all of them: 77.
rm "$(folder_of shared 300)"/weights-00003-of-00004.safetensors
must on_ranks 4 shared "${keys[@]}" --set parallel.tensor=2
grep -q 'step 300 is damaged and skipped: .*weights-00003-of-00004.safetensors' "$WORK/shared.log" || { cat "$WORK/shared.log"; fail "a missing shard is not named"; }
same_files shared killed 300
cp -r "$WORK/killed" "$WORK/wrong"
rm "$WORK"/wrong/step-*/optimizer-00001-of-00004.safetensors
wrong 4 77 'checkpoints is whole' "${keys[@]}" --set parallel.tensor=2
echo "wrong grids end with 64, checkpoints without a shard with 77"
