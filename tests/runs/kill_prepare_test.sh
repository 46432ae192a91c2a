#!/usr/bin/env bash
# kill -9 at random moments of `weft vocab`, `weft prepare` and the preparation inside `weft train`: what is there is whole or does not
# count, and the same command again ends with the bytes of a run that nobody disturbed.
# usage: kill_prepare_test.sh WEFT [SEED]
WEFT=$1
source "$(dirname "$0")/toy.sh"
draw_seed "${2:-}"

# wide NAME LINES SEED: words of random syllables, so that a vocabulary takes its time.
wide() {
  awk -v n="$2" -v seed="$3" -v src="$WORK/$1.src" -v tgt="$WORK/$1.tgt" 'BEGIN {
    srand(seed); split("ba ko ri tul mes dan fo lin ge vor hat su", syllable, " ")
    for (i = 0; i < 2 * n; i++) {
      line = ""
      for (j = 0; j < 8; j++) { line = line (j ? " " : ""); for (k = 0; k < 3; k++) line = line syllable[1 + int(rand() * 12)] }
      print line > (i % 2 ? tgt : src)
    }
  }'
}
wide long 8000 3
wide older 2000 4
cat >"$WORK/long.yaml" <<EOF
data:
  train: [{src: $WORK/long.src, tgt: $WORK/long.tgt}]
  valid: {src: $WORK/valid.src, tgt: $WORK/valid.tgt}
vocab: {share_vocab: false, vocab_size: 300}
model: {tied_embeddings: none}
training: {train_steps: 2}
EOF
configs=(--config "$WORK/toy.yaml" --config "$WORK/long.yaml")

vocab() { exec "$WEFT" vocab "${configs[@]}" --set run_dir="$1"; }
prepare() { exec "$WEFT" prepare "${configs[@]}" --out "$1"; }
train() { exec "$WEFT" train "${configs[@]}" --set run_dir="$1"; }

# files FOLDER: what must come out the same, as names and checksums. A run's own notes (logs, times, .stamps.json: when files had settled) may
# differ.
files() {
  (cd "$1" && find . -type f ! -name .stamps.json \( -name 'vocab*' -o -path '*/prepared*' -o -path './train/*' -o -path './valid/*' -o -name '*.safetensors' \) |
    LC_ALL=C sort | xargs sha256sum)
}

# Whole, or not there: never something in between that a run would take.
whole_or_none() {
  local folder=$1 file
  for file in "$folder"/vocab.*model; do
    [ ! -e "$file" ] || cmp -s "$file" "$WORK/alone-prepare/$(basename "$file")" || cmp -s "$file" "$WORK/older/$(basename "$file")" ||
      fail "$file is half a vocabulary"
  done
  for folder in "$folder" "$folder/prepared"; do
    [ ! -e "$folder/prepared.json" ] || "$WEFT" inspect "$folder" >/dev/null || fail "$folder counts, and is not whole"
  done
}

# killed VERB: several folders, each killed up to three times before the last run.
killed() {
  local verb=$1 kills=0 round start
  start=$(date +%s%N)
  ($verb "$WORK/alone-$verb" >"$WORK/log" 2>&1) || { cat "$WORK/log"; fail "$verb"; }
  local milliseconds=$((($(date +%s%N) - start) / 1000000))
  for round in $(seq "$rounds"); do
    local folder=$WORK/$verb-$round
    # Every other one begins in a folder with an older preparation, of other text.
    if [ "$verb" = prepare ] && [ $((round % 2)) = 0 ]; then cp -r "$WORK/older" "$folder"; fi
    for _ in 1 2 3; do
      $verb "$folder" >>"$WORK/log" 2>&1 &
      local pid=$!
      sleep "$(printf '0.%03d' $((RANDOM % (milliseconds < 999 ? milliseconds : 999))))"
      if kill -9 $pid 2>/dev/null; then kills=$((kills + 1)); fi
      wait $pid 2>/dev/null || true
      whole_or_none "$folder"
    done
    ($verb "$folder" >"$WORK/log" 2>&1) || { cat "$WORK/log"; fail "$verb after a kill"; }
    diff <(files "$WORK/alone-$verb") <(files "$folder") || fail "$verb: other bytes after a kill"
  done
  [ $kills -ge "$rounds" ] || fail "$verb: only $kills kills: the test shows nothing"
  echo "$verb: $kills kills in $rounds folders, $milliseconds ms alone"
}

rounds=8
("$WEFT" prepare "${configs[@]}" --set data.train="[{src: $WORK/older.src, tgt: $WORK/older.tgt}]" --out "$WORK/older" >"$WORK/log" 2>&1) || { cat "$WORK/log"; fail "older"; }
killed prepare
killed vocab
killed train

# Asked to stop while it prepares, a run has nothing to save: 75 at once, and the same command starts.
launched() { exec "$WEFT" launch -n 2 -- train "${configs[@]}" --set run_dir="$1"; }
for start in launched train; do
  : >"$WORK/log"
  $start "$WORK/asked" >"$WORK/log" 2>&1 &
  pid=$!
  for _ in $(seq 1000); do grep -q 'learning the vocabulary' "$WORK/log" && break; sleep 0.01; done
  kill -TERM $pid
  status=0
  wait $pid || status=$?
  [ $status -eq 75 ] || { cat "$WORK/log"; fail "asked to stop while it prepares: exit $status, expected 75"; }
  [ ! -e "$WORK/asked/prepared/prepared.json" ] || fail "it has prepared to the end"
done
(train "$WORK/asked" >"$WORK/log" 2>&1) || { cat "$WORK/log"; fail "train after a stop"; }
diff <(files "$WORK/alone-train") <(files "$WORK/asked") || fail "other bytes after a stop"
echo "asked to stop while it prepares: 75, and the same command goes on"

# The comparison can fail: another setting gives other bytes.
("$WEFT" prepare "${configs[@]}" --out "$WORK/other" --set vocab.vocab_size=299 >/dev/null 2>&1) || fail "prepare"
if diff <(files "$WORK/alone-prepare") <(files "$WORK/other") >/dev/null; then fail "two vocabularies give the same bytes"; fi
echo "the same bytes after every kill"
