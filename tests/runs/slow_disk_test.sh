#!/usr/bin/env bash
# A save whose reading of the state takes longer than hang_timeout, as behind a busy file server: the next update waits for it, on that rank
# and on the others, which is no hang. One that takes longer than a save may is.
# A run that ends for its numbers waits for the save of a good step.
# usage: slow_disk_test.sh WEFT MPIEXEC PRELOADED_LIBRARY
WEFT=$(realpath "$1")
mpiexec=$2
library=$3
export OMP_WAIT_POLICY=passive
source "$(dirname "$0")/toy.sh"

more=
# slow RUN SECONDS [LAUNCHER...]
slow() {
  SLOW_DISK=$2 LD_PRELOAD=$library "${@:3}" "$WEFT" train --config "$WORK/toy.yaml" \
    --set run_dir="$WORK/$1" data.prepared="$WORK/prepared" training.train_steps=60 parallel.hang_timeout=2 $more >"$WORK/$1.log" 2>&1
}
slow alone 4 || { cat "$WORK/alone.log"; fail "a slow save is taken for a hang"; }
SLOW_RANK=1 slow two 4 "$mpiexec" -n 2 || { cat "$WORK/two.log"; fail "a save that is slow on rank 1 is taken for a hang"; }
echo "an update that waits 4 s for a save is no hang at hang_timeout 2, of one rank and of two"
status=0
slow hangs 30 || status=$?
[ $status -eq 76 ] || { cat "$WORK/hangs.log"; fail "a save that stands still for 30 s: exit $status, expected 76"; }
grep -q 'phase     save' "$WORK/hangs.log" || { cat "$WORK/hangs.log"; fail "the hang is not called one of a save"; }
echo "one that waits for much longer is: 76, and the log calls it a save"
more="checkpoint.save_freq=2u training.optimizer=sgd training.learning_rate=1.0e+18 training.warmup_steps=0 training.max_grad_norm=0 training.on_nonfinite=stop"
status=0
SLOW_CALL=fsync slow numbers 2 || status=$?
[ $status -eq 78 ] || { cat "$WORK/numbers.log"; fail "numbers that are not finite: exit $status, expected 78"; }
grep -q 'safe      step 2 is committed' "$WORK/numbers.log" && [ -e "$WORK/numbers/step-000000000002/manifest.json" ] ||
  { cat "$WORK/numbers.log"; fail "the save of step 2 is lost"; }
echo "a run that ends with 78 commits what it was saving"
