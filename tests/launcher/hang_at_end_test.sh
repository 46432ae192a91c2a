#!/usr/bin/env bash
# A rank that is stopped behind its last step, where the others wait for it in MPI_Finalize: the job ends with 76 all the same, nothing is
# lost, and the same command is done at once.
# usage: hang_at_end_test.sh WEFT MPIEXEC PRELOADED_LIBRARY
WEFT=$(realpath "$1")
mpiexec=$2
library=$3
export OMP_WAIT_POLICY=passive
source "$(dirname "$0")/toy.sh"
source "$(dirname "$0")/job.sh"
hang_timeout=2

# train_on_two [OPTION OF MPIEXEC...]: in place of the shell.
train_on_two() {
  exec "$mpiexec" -n 2 "$@" "$WEFT" train --config "$WORK/toy.yaml" --set run_dir="$WORK/run" \
    data.prepared="$WORK/prepared" parallel.hang_timeout=$hang_timeout >>"$WORK/run.log" 2>&1
}
done_said() { grep -q '\[done\] step 300' "$WORK/run.log"; }

train_on_two -x LD_PRELOAD="$library" &
pid=$!
wait_for 60 done_said || { cat "$WORK/run.log"; fail "does not come to its end"; }
wait_for $((hang_timeout + 5)) gone $pid || { kill -9 $pid $(pgrep -f "run_dir=$WORK/run "); fail "hangs at its end for more than hang_timeout + 5 s"; }
ends_with 76 $pid run
grep -q 'phase     end of the run' "$WORK/run.log" || { cat "$WORK/run.log"; fail "the hang is not named"; }
[ -s "$WORK/run/flight/rank-0.txt" ] && [ ! -e "$WORK/run/flight/rank-1.txt" ] || fail "not the stopped rank alone is without a flight record"
echo "a rank stopped at the end of MPI ends the job with 76"

train_on_two &
ends_with 0 $! run
grep -q '\[resume\] step 300 from' "$WORK/run.log" || { cat "$WORK/run.log"; fail "does not find the step it had saved"; }
echo "the same command is done at once"
