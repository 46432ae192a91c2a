#!/usr/bin/env bash
# Every command of the README that starts the program, word for word and in order, on a corpus made here, with the README's own my.yaml.
# usage: readme_test.sh SOURCE_DIR BUILD_DIR
set -euo pipefail
source_dir=$1 build_dir=$2
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
mkdir -p build data
ln -s "$build_dir" build/release
export PATH=$PWD/build/release:$PATH  # as the README says
ln -s "$source_dir/configs" configs

awk 'BEGIN {
  srand(3)
  split("ba ce di fo gu ha je ki lo mu na pe ri so tu va we xi yo zu", part, " ")
  for (w = 0; w < 900; w++) { word[w] = ""; for (j = 0; j < 2 + w % 3; j++) word[w] = word[w] part[1 + int(rand() * 20)] }
  for (i = 0; i < 1060; i++) {
    source = ""; target = ""
    n = 3 + int(rand() * 8)
    for (j = 0; j < n; j++) { w = int(rand() * 900); source = source word[w] " "; target = target "q" word[(w * 7) % 900] " " }
    side = i < 1000 ? "train" : "valid"
    print source "." > ("data/" side ".en"); print target "." > ("data/" side ".de")
  }
}'
head -n 7 data/valid.en >sentences.txt
awk '/^```yaml$/ { inside = 1; next } /^```$/ { inside = 0 } inside' "$source_dir/README.md" >my.yaml

count=0
while IFS= read -r command; do
  echo "\$ $command"
  bash -c "$command" </dev/null >output 2>&1 || { tail -n 20 output; echo "FAILED: exit $?"; exit 1; }
  count=$((count + 1))
done < <(grep -E '^(mpirun .*)?weft ' "$source_dir/README.md" | sed -E 's/ +#.*$//')
[ "$count" -ge 7 ] || { echo "only $count commands found in the README: the check itself is broken"; exit 1; }
[ "$(wc -l <translations.txt)" -eq 7 ] || { echo "7 sentences in, $(wc -l <translations.txt) out"; exit 1; }
echo "$count commands run as the README says"
