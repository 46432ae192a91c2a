#!/usr/bin/env bash
# Builds with sanitizers what runs threads, decodes or reads memory by registers, and runs it: communicators, savers, loaders, trainers on
# ranks that are threads, the watchdog, fast kernels, searches, metrics, and the verbs of the program with a validation that translates.
# asan: address and undefined behaviour. tsan: data races. Ends with 1 when anything of ours is reported.
# usage: scripts/sanitize.sh asan|tsan
set -euo pipefail
cd "$(dirname "$0")/.."
preset=${1:-}
case "$preset" in
  asan | tsan) ;;
  *) echo "usage: scripts/sanitize.sh asan|tsan" >&2; exit 64 ;;
esac

# One thread of OpenMP per rank: GCC's OpenMP is not instrumented, so its barriers would look like races between its threads.
export OMP_NUM_THREADS=1
export TSAN_OPTIONS="suppressions=$PWD/scripts/tsan.supp exitcode=66 atexit_sleep_ms=0"
export UBSAN_OPTIONS=print_stacktrace=1
export ASAN_OPTIONS=detect_stack_use_after_return=1
cmake --preset "$preset" >/dev/null
cmake --build "build/$preset" --target parallel_test state_checkpoint_test data_batch_test layout_test kill_campaign stop_and_resume_test runtime_cpu_kernels_test program_test inference_test metrics_test weft

failed=()
run() {
  echo "== $*"
  "$@" >"build/$preset/sanitize.log" 2>&1 || { failed+=("$1"); grep -A 40 -m 1 'WARNING: ThreadSanitizer\|ERROR: \|runtime error' "build/$preset/sanitize.log" || tail -n 40 "build/$preset/sanitize.log"; }
  tail -n 2 "build/$preset/sanitize.log"
}
tests=build/$preset/tests
run "$tests/launcher/program_test" --gtest_brief=1 '--gtest_filter=Watchdog*:HangDetector*'
run "$tests/state/state_checkpoint_test" --gtest_brief=1 '--gtest_filter=RanksTest*:SaverTest*:CheckpointTest*'
run "$tests/data/data_batch_test" --gtest_brief=1 '--gtest_filter=Loader*'
run "$tests/training/layout_test" --gtest_brief=1
run "$tests/training/kill_campaign" 30 1
run "$tests/training/stop_and_resume_test" --gtest_brief=1
run "$tests/runtime/runtime_cpu_kernels_test" --gtest_brief=1 '--gtest_filter=*CpuKernelsTest*:*PackedWeights*'
run "$tests/parallel/parallel_test" --gtest_brief=1
run "$tests/inference/inference_test" --gtest_brief=1
run "$tests/inference/metrics_test" --gtest_brief=1
run tests/runs/decoding_verbs.sh "build/$preset/weft"
[ ${#failed[@]} -eq 0 ] || { echo "sanitize: $preset reports something in: ${failed[*]}" >&2; exit 1; }
echo "sanitize: $preset reports nothing"
