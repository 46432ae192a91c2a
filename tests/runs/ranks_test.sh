#!/usr/bin/env bash
# Many ranks under mpirun: zero_stage 1 and 2 end with the same bytes (training/layout_test.cpp has the other stages and numbers
# of ranks); a layout ends with the same bytes every time, across kills of a random rank; the number of ranks may change between two starts;
# wrong input ends all ranks with 64.
# usage: ranks_test.sh WEFT MPIEXEC [SEED]
WEFT=$1
mpiexec=$2
export OMP_WAIT_POLICY=passive
source "$(dirname "$0")/toy.sh"
source "$(dirname "$0")/job.sh"
draw_seed "${3:-}"

must on_ranks 2 zero1 --set precision.dtype=bf16
must on_ranks 2 zero2 --set precision.dtype=bf16 --set parallel.zero_stage=2 --set parallel.bucket_mb=1
same_files zero1 zero2 300
echo "2 ranks: zero_stage 1 and 2 end with the same bytes, in bfloat16"

must on_ranks 4 undisturbed --set precision.dtype=fp32
killed_on 4 killed --set precision.dtype=fp32
same_files undisturbed killed 300

for n in 4 2 1 3; do
  case $n in 4) steps=90 ;; 2) steps=150 ;; 1) steps=210 ;; 3) steps=300 ;; esac
  must on_ranks $n world --set precision.dtype=fp32 --set training.train_steps=$steps
done
[ "$(grep -c 'within tolerance, not bit for bit: world' "$WORK/world.log")" -eq 3 ] || fail "three changes of the layout are said"
same_loss world undisturbed 300
echo "4 -> 2 -> 1 -> 3 ranks: every change is said, and the run ends at the same loss"

wrong 2 64 'training.warmup_step: unknown key' --set training.warmup_step=3
wrong 3 64 'parallel.data: 2' --set parallel.data=2
wrong 2 64 'parallel.zero_stage: not supported yet' --set parallel.zero_stage=3
cores=$(env -u OMP_NUM_THREADS nproc)  # which nproc would take for the number of cores
crowd=$((cores + 1))
[ "$(grep -c "\[config\] warning: $crowd ranks x 1 thread share $cores core" <(on_ranks $crowd crowd --set training.train_steps=1; cat "$WORK/crowd.log"))" -eq 1 ] ||
  { cat "$WORK/crowd.log"; fail "more ranks than cores are said once"; }
echo "wrong input ends all ranks with 64 and is said once"
"$mpiexec" -n 1 "$WEFT" train --config "$WORK/toy.yaml" --set run_dir="$WORK/mixed" --set data.prepared="$WORK/prepared" \
  : -n 1 "$WEFT" train --config "$WORK/toy.yaml" --set run_dir="$WORK/mixed" --set data.prepared="$WORK/prepared" --set seed=9 \
  >"$WORK/mixed.log" 2>&1 && fail "ranks with different configurations train"
grep -A 2 'rank 1 has another configuration than rank 0' "$WORK/mixed.log" | grep -q 'expected  seed: 7, as rank 0' ||
  { cat "$WORK/mixed.log"; fail "the rank that differs and the key are named"; }
# A rank that fails alone: the other is in a collective, which it cannot leave.
status=0
timeout 60 "$mpiexec" -n 1 "$WEFT" train --config "$WORK/toy.yaml" --set run_dir="$WORK/mixed" --set data.prepared="$WORK/prepared" \
  : -n 1 "$WEFT" train --config "$WORK/toy.yaml" --set run_dir="$WORK/mixed" --set data.prepared="$WORK/prepared" --set parallel.data=3 \
  >"$WORK/mixed.log" 2>&1 || status=$?
[ $status -eq 64 ] && grep -q 'weft: rank 1: parallel.data: 3' "$WORK/mixed.log" || { cat "$WORK/mixed.log"; fail "a rank that fails alone: exit $status"; }
cp "$WEFT" "$WORK/other_build"
echo >>"$WORK/other_build"
status=0
"$mpiexec" -n 1 "$WEFT" train --config "$WORK/toy.yaml" --set run_dir="$WORK/mixed" --set data.prepared="$WORK/prepared" \
  : -n 1 "$WORK/other_build" train --config "$WORK/toy.yaml" --set run_dir="$WORK/mixed" --set data.prepared="$WORK/prepared" \
  >"$WORK/mixed.log" 2>&1 || status=$?
[ $status -eq 64 ] && grep -q 'rank 1 has another program than rank 0' "$WORK/mixed.log" || { cat "$WORK/mixed.log"; fail "another build: exit $status"; }
echo "a rank with another configuration or program is named; a rank that fails alone ends all"
