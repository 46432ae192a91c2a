#!/usr/bin/env bash
# A rank that is stopped behind its last step. Where the others wait for it in MPI_Finalize, the job ends with 76. Where they have already
# ended, mpirun waits for it, and weft launch ends the job. Nothing is lost either way.
# usage: hang_at_end_test.sh WEFT PRELOADED_LIBRARY
WEFT=$(realpath "$1")
library=$2
export OMP_WAIT_POLICY=passive
source "$(dirname "$0")/toy.sh"
source "$(dirname "$0")/job.sh"
hang_timeout=2

# stopped WHEN SECONDS PATTERN: stops rank 1 before or after the end of MPI; within SECONDS the log has PATTERN; then the job is done.
stopped() {
  local when=$1 seconds=$2 pattern=$3 log=$WORK/$1.log pid
  STOP_AT_END=$when STOP_ONCE=$WORK/$when.once LD_PRELOAD=$library "$WEFT" launch -n 2 -- train --config "$WORK/toy.yaml" \
    --set run_dir="$WORK/$when" data.prepared="$WORK/prepared" parallel.hang_timeout=$hang_timeout >>"$log" 2>&1 &
  pid=$!
  said() { grep -q -- "$1" "$log"; }
  wait_for 60 said '\[done\] step 300' || { cat "$log"; kill -9 $pid; fail "$when: does not come to its end"; }
  wait_for "$seconds" said "$pattern" || { cat "$log"; kill -9 $pid; fail "$when: hangs for more than $seconds s"; }
  ends_with 0 $pid "$when"
  said '\[resume\] step 300 from' || { cat "$log"; fail "$when: does not find the step that was saved"; }
  echo "a rank stopped $when the end of MPI: the job is ended, started again, and done"
}
stopped before $((hang_timeout + 5)) 'phase     end of the run'
grep -q 'suspect   rank 1: no flight record' "$WORK/before.log" || { cat "$WORK/before.log"; fail "the stopped rank is not named"; }
stopped after 15 'does not return, 1 of 2 ranks on this host still run'
