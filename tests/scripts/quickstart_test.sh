#!/usr/bin/env bash
# scripts/quickstart.sh on two files made here, from another folder: stopped half-way by Ctrl-C, then again to the end. The corpus it makes
# without files is the business of make_corpus_test.py.
# usage: quickstart_test.sh SOURCE_DIR
set -euo pipefail
source_dir=$1
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
fail() { echo "FAILED: $*" >&2; exit 1; }
export OMP_WAIT_POLICY=passive

awk 'BEGIN {
  srand(3)
  for (i = 0; i < 1500; i++) {
    source = ""; target = ""
    n = 6 + int(rand() * 6)
    for (j = 0; j < n; j++) { w = int(rand() * 60); source = source "ka" w "lo "; target = target "mi" w "ru " }
    print source "." > "own.en"; print target "." > "own.it"
  }
}'
options=(--set training.max_epochs=3 --set training.warmup_steps=10 --set vocab.vocab_size=58 --set vocab.byte_fallback=false --set validation.valid_freq=0 --set training.report_freq=1u --set decoding.beam_size=1)

set -m  # a process group of its own, as a terminal gives it
"$source_dir/scripts/quickstart.sh" own.en own.it run "${options[@]}" --set training.max_epochs=300 >first.log 2>&1 &
pid=$!
for _ in $(seq 3000); do
  grep -q 'step 3 ' first.log && break
  kill -0 $pid 2>/dev/null || { cat first.log; fail "ended before it trained"; }
  sleep 0.1
done
kill -INT -- -$pid
status=0
wait $pid || status=$?
set +m
[ $status -eq 75 ] || { tail -n 30 first.log; fail "Ctrl-C ends it with $status, expected 75"; }
grep -q 'The same command goes on' first.log || fail "does not say how to go on"

"$source_dir/scripts/quickstart.sh" own.en own.it run "${options[@]}" >second.log 2>&1 || { tail -n 30 second.log; fail "the second start"; }
grep -qE '\[resume\] step [0-9]+ from .*run/step' second.log || { tail -n 30 second.log; fail "does not go on from the step that was saved"; }
[ "$(grep -c '^  source ' second.log)" -eq 6 ] || { tail -n 30 second.log; fail "six sentences are shown"; }
[ "$(grep -cE '^  (this model|copying the source|translation memory) +[0-9.]+ +[0-9.]+$' second.log)" -eq 3 ] || { tail -n 30 second.log; fail "three rows of scores"; }

# said CODE PATTERN ARGS...
said() {
  local code=$1 pattern=$2 status=0
  shift 2
  "$source_dir/scripts/quickstart.sh" "$@" >said.log 2>&1 || status=$?
  [ $status -eq "$code" ] && grep -q -- "$pattern" said.log || { cat said.log; fail "exit $status: $*"; }
}
head -n 50 own.en >short.en
said 0 'usage: scripts/quickstart.sh' --help
said 64 'own.en: expected two files' own.en
said 64 'own.en: expected two files' own.en --set training.max_epochs=1
said 64 '--lang: expected two files' --lang fr
said 64 'no such file' own.en nothing.it
said 64 '50 lines, .* has 1500' short.en own.it
said 64 'too few' short.en short.en
said 64 'begin with --set' own.en own.it run nonsense
echo "stopped by Ctrl-C, went on, scored; wrong input is refused"
