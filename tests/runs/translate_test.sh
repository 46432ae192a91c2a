#!/usr/bin/env bash
# The decoding verbs on a trained toy model: batches and ranks do not show in the output; pipes, closed and full streams, and input that is
# no text. usage: translate_test.sh WEFT MPIEXEC
WEFT=$1
mpiexec=$2
export OMP_WAIT_POLICY=passive
source "$(dirname "$0")/toy.sh"

train run --set precision.dtype=fp32 || { cat "$WORK/run.log"; fail "train"; }
model=$WORK/run
# translate ARGS...: stdin to stdout, messages to err
translate() { "$WEFT" translate --model "$model" "$@" 2>"$WORK/err"; }
# status CODE COMMAND...: ends with this exit code
status() {
  local expected=$1 found=0
  shift
  "$@" || found=$?
  [ $found -eq "$expected" ] || { cat "$WORK/err"; fail "exit $found, expected $expected: $*"; }
}
said() { grep -q -- "$1" "$WORK/err" || { cat "$WORK/err"; fail "does not say '$1'"; }; }
same() { cmp "$WORK/$1" "$WORK/$2" || fail "$1 and $2 differ"; }

# Input with empty lines, blanks, no LF at the end.
{ head -n 20 "$WORK/valid.src"; echo; echo "   "; sed -n 21,50p "$WORK/valid.src"; echo; printf 'ka1lo ka2lo'; } >"$WORK/input"

for options in "" "decoding.beam_size=1" "decoding.sample=true decoding.n_best=3 decoding.temperature=1.5"; do
  translate --set decoding.scores=word $options <"$WORK/input" >"$WORK/whole"
  for size in 1 64; do
    translate --set decoding.scores=word decoding.batch_size=$size $options <"$WORK/input" >"$WORK/cut"
    same whole cut
  done
  for ranks in 2 3; do
    "$mpiexec" -n $ranks "$WEFT" translate --model "$model" --set decoding.scores=word $options <"$WORK/input" >"$WORK/dealt" 2>"$WORK/err" ||
      { cat "$WORK/err"; fail "$ranks ranks"; }
    same whole dealt
  done
done
translate --set decoding.scores=word <"$WORK/input" >"$WORK/whole"
for line in 1 21 22 38 54; do  # two of them are blank, the last ends without LF
  sed -n ${line}p "$WORK/input" | translate --set decoding.scores=word | cmp - <(sed -n ${line}p "$WORK/whole") || fail "line $line alone has another output"
done
echo "the output is the same for every batch size, for a line alone, and on 1, 2 and 3 ranks"

translate <"$WORK/input" >"$WORK/output"
[ "$(wc -l <"$WORK/output")" -eq 54 ] || fail "54 lines in, $(wc -l <"$WORK/output") out"
[ "$(grep -n '^$' "$WORK/output" | tr '\n' ' ')" = "21: 22: 53: " ] || fail "empty lines keep their places"
translate --set decoding.sample=true seed=1 decoding.temperature=2 <"$WORK/input" >"$WORK/seed1"
translate --set decoding.sample=true seed=2 decoding.temperature=2 <"$WORK/input" >"$WORK/seed2"
! cmp -s "$WORK/seed1" "$WORK/seed2" || fail "two seeds draw the same"
translate --set decoding.no_repeat_ngram=1 <"$WORK/input" | awk '{ split("", seen); for (i = 1; i <= NF; i++) if (seen[$i]++) exit 1 }' ||
  fail "no_repeat_ngram=1: a word twice"

# Alignments: soft has a row for every token and each sums to 1; hard is the largest of each row but the last, end tokens left out.
translate --set decoding.alignment=soft <"$WORK/input" >"$WORK/soft"
translate --set decoding.alignment=hard decoding.batch_size=20 <"$WORK/input" >"$WORK/hard"
cmp <(sed 's/ ||| .*//' "$WORK/soft") <(sed 's/ ||| .*//' "$WORK/hard") || fail "the text beside alignments"
sed 's/.* ||| //' "$WORK/soft" | awk '{
  pairs = ""
  for (t = 1; t <= NF; t++) {
    n = split($t, weight, ","); best = 1; sum = 0
    for (s = 1; s <= n; s++) { sum += weight[s]; if (weight[s] > weight[best]) best = s }
    if (sum < 0.999 || sum > 1.001) exit 1
    if (t < NF && best < n) pairs = pairs (pairs ? " " : "") (best - 1) "-" (t - 1)
  }
  print pairs
}' >"$WORK/pairs" || fail "a row of soft does not sum to 1"
cmp "$WORK/pairs" <(sed 's/.* ||| //' "$WORK/hard") || fail "hard is not the largest of soft"
[ "$(grep -c -- '-' "$WORK/pairs")" -gt 40 ] || fail "hardly a pair"
[ "$(sed -n 1p "$WORK/input" | translate --n-best 2 --set decoding.alignment=hard | grep -cE '^0 \|\|\| .* \|\|\| log_prob= .* \|\|\| -?[0-9.]+ \|\|\| [0-9]+-')" -eq 2 ] ||
  fail "n-best with alignments"
[ "$(sed -n 1p "$WORK/input" | translate --json --set decoding.alignment=hard | grep -cE '"alignment": ?\[\[[0-9]+')" -eq 1 ] || fail "alignments as JSON"

# A pipe is answered while it stays open.
coproc ANSWER { exec "$WEFT" translate --model "$model" 2>"$WORK/err"; }
for line in 1 2 9; do
  sed -n ${line}p "$WORK/input" >&"${ANSWER[1]}"
  IFS= read -r -t 60 answer <&"${ANSWER[0]}" || fail "no answer to line $line while the pipe is open"
  [ "$answer" = "$(sed -n ${line}p "$WORK/output")" ] || fail "line $line: '$answer'"
done
pid=$ANSWER_PID
eval "exec ${ANSWER[1]}>&-"
wait "$pid" || fail "the end of the pipe"
echo "order, empty lines and pipes hold"

# The reader goes away: killed by SIGPIPE as any program; where that is ignored, exit 1. No message either way.
for _ in $(seq 200); do cat "$WORK/valid.src"; done >"$WORK/long"
code=0
{ "$WEFT" translate --model "$model" <"$WORK/long" 2>"$WORK/err" || echo $? >"$WORK/code"; } | head -n 1 >"$WORK/first"
[ "$(cat "$WORK/code")" -eq 141 ] || fail "| head: exit $(cat "$WORK/code")"
same_first() { [ "$(cat "$WORK/first")" = "$(head -n 1 "$WORK/output")" ] || fail "| head"; }
same_first
! grep -q 'weft:' "$WORK/err" || { cat "$WORK/err"; fail "| head: a message"; }
(trap '' PIPE; "$WEFT" translate --model "$model" <"$WORK/long" 2>"$WORK/err" || echo $? >"$WORK/code") | head -n 1 >"$WORK/first"
[ "$(cat "$WORK/code")" -eq 1 ] || fail "| head without SIGPIPE: exit $(cat "$WORK/code")"
same_first
! grep -q 'weft:' "$WORK/err" || { cat "$WORK/err"; fail "| head without SIGPIPE: a message"; }

status 0 translate </dev/null >"$WORK/none"
[ ! -s "$WORK/none" ] || fail "output without input"
status 64 translate <&- >"$WORK/none"
said 'stdin cannot be read: Bad file descriptor'
status 64 translate <"$WORK" >"$WORK/none"
said 'stdin cannot be read: Is a directory'
status 1 translate <"$WORK/input" >/dev/full
said 'stdout cannot be written: No space left on device'
status 1 translate <"$WORK/input" >&-
said 'stdout cannot be written: Bad file descriptor'
echo "closed, full and broken streams end as they should"

# What is no text: a program, and a line of 3 MB.
{ head -c 60000 "$WEFT"; printf 'the end'; } >"$WORK/garbage"
status 0 translate --set decoding.beam_size=1 <"$WORK/garbage" >"$WORK/output_of_garbage"
lines_in=$(($(wc -l <"$WORK/garbage") + 1))
[ "$(lines "$WORK/output_of_garbage")" -eq "$lines_in" ] || fail "garbage: $lines_in lines in, $(lines "$WORK/output_of_garbage") out"
said 'broken UTF-8 or NUL, repaired'
{ echo ka1lo; head -c 3000000 /dev/zero | tr '\0' 'k'; echo; echo ka2lo; } >"$WORK/endless"
status 0 translate <"$WORK/endless" >"$WORK/output_of_endless"
[ "$(lines "$WORK/output_of_endless")" -eq 3 ] || fail "a line of 3 MB: $(lines "$WORK/output_of_endless") lines out"
said 'line 2: longer than 63 tokens, cropped'
echo "garbage and endless lines give one line each"

# score, evaluate, inspect on ranks; one message a mistake.
"$WEFT" score --model "$model" --src "$WORK/valid.src" --tgt "$WORK/valid.tgt" --set decoding.scores=word >"$WORK/scores" 2>"$WORK/err"
paste "$WORK/valid.src" "$WORK/valid.tgt" | "$WEFT" score --model "$model" --set decoding.scores=word decoding.batch_size=16 >"$WORK/tabbed" 2>"$WORK/err"
same scores tabbed
"$mpiexec" -n 2 "$WEFT" score --model "$model" --src "$WORK/valid.src" --tgt "$WORK/valid.tgt" --set decoding.scores=word >"$WORK/dealt" 2>"$WORK/err"
same scores dealt
# What a search found has, scored as a given target, the probability that the search gave it.
translate --set decoding.scores=sentence <"$WORK/valid.src" >"$WORK/found"
paste "$WORK/valid.src" <(sed 's/ ||| .*//' "$WORK/found") | "$WEFT" score --model "$model" 2>"$WORK/err" >"$WORK/rescored"
paste -d ' ' <(sed 's/.*log_prob= \([-0-9.]*\).*/\1/' "$WORK/found") "$WORK/rescored" |
  awk '{ d = $1 - $2; if (d < -1e-4 || d > 1e-4) { print; bad = 1 } } END { exit bad || NR != 60 }' || fail "translate and score disagree"

translate <"$WORK/valid.src" >"$WORK/valid.out"
"$WEFT" evaluate --hyp "$WORK/valid.out" --ref "$WORK/valid.tgt" >"$WORK/judged"
"$WEFT" evaluate --model "$model" --src "$WORK/valid.src" --ref "$WORK/valid.tgt" >"$WORK/by_model" 2>"$WORK/err"
"$mpiexec" -n 2 "$WEFT" evaluate --config "$WORK/toy.yaml" "$WORK/data.yaml" --set run_dir="$model" >"$WORK/by_config" 2>"$WORK/err"
same judged by_model
same judged by_config
[ "$(lines "$WORK/judged")" -eq 3 ] || fail "evaluate: bleu, chrf, ter"
translate --set decoding.beam_size=1 decoding.repetition_penalty=1.5 <"$WORK/valid.src" >"$WORK/valid.out"
"$WEFT" evaluate --hyp "$WORK/valid.out" --ref "$WORK/valid.tgt" >"$WORK/judged"
"$WEFT" evaluate --config "$WORK/toy.yaml" "$WORK/data.yaml" --set run_dir="$model" decoding.beam_size=1 decoding.repetition_penalty=1.5 >"$WORK/by_config" 2>"$WORK/err"
same judged by_config

"$mpiexec" -n 2 "$WEFT" inspect "$model" >"$WORK/dealt" 2>"$WORK/err"
"$WEFT" inspect "$model" >"$WORK/whole"
same whole dealt
for verb in translate score; do
  status 64 "$mpiexec" -n 2 "$WEFT" $verb --model "$WORK/absent" </dev/null >"$WORK/none" 2>"$WORK/err"
  [ "$(grep -c 'no such folder' "$WORK/err")" -eq 1 ] || { cat "$WORK/err"; fail "$verb: one message"; }
done
# refused VERB KEY=VALUE: a key that the verb does not use.
refused() {
  status 64 "$WEFT" "$1" --model "$model" --set "$2" </dev/null >"$WORK/none" 2>"$WORK/err"
  said "${2%%=*}: not used by $1"
}
refused translate training.train_steps=5
refused translate parallel.memory_limit=0.5
refused score decoding.beam_size=2
refused score seed=3
printf 'a\tb\nno tab\n' >"$WORK/tabs"
status 64 "$mpiexec" -n 2 "$WEFT" score --model "$model" <"$WORK/tabs" >"$WORK/none" 2>"$WORK/err"
said 'stdin:2: 0 tabs'
echo "score, evaluate and inspect are the same on ranks"
