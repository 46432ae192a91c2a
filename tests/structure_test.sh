#!/usr/bin/env bash
# The include arrows of docs/architecture.md: each folder lists what it may include; whatever else it includes is an error. And one name for
# one type: a .cpp file has its types in an anonymous namespace, those of headers meet in every_header.cpp of the build.
# usage: structure_test.sh SOURCE_DIR
set -euo pipefail
cd "$1"

below_launcher="training inference models state layers parallel data runtime"
declare -A may_include=(
  [runtime]="runtime"
  [parallel]="parallel runtime"
  [layers]="layers parallel runtime"
  [models]="models layers parallel runtime"
  [state]="state layers parallel runtime"
  [data]="data runtime"
  [inference]="inference models layers parallel data runtime"
  [training]="$below_launcher"
  [launcher]="launcher $below_launcher"
)
# Rooms of a folder that know of each other in one direction only; a room that is not listed may include its whole folder.
declare -A room_may_include=(
  [runtime/files]="runtime runtime/files"
  [runtime/kernels/reference]="runtime runtime/kernels runtime/kernels/reference"
  [parallel/mpi]="parallel parallel/mpi"
  [parallel/threads]="parallel parallel/threads"
  [data/text]="data data/text"
  [data/vocabulary]="data data/text data/vocabulary"
  [launcher/input]="launcher/input"
  [launcher/config]="launcher/config launcher/config/keys launcher/input"
  [launcher/config/keys]="launcher/config launcher/config/keys launcher/input"
  [launcher/ranks]="launcher/ranks launcher/config launcher/input"
  [launcher/start]="launcher/start launcher/ranks launcher/config launcher/input"
  [launcher/supervise]="launcher/supervise launcher/ranks launcher/input"
)
bad=0
checked=0
while IFS=: read -r file line include; do
  from=${file%/*} target=${include#*\"} target=${target%%\"*} target=${target%/*}
  checked=$((checked + 1))
  case " ${may_include[${file%%/*}]} " in
    *" ${target%%/*} "*) ;;
    *) echo "$file:$line: ${file%%/*}/ may not include ${target%%/*}/"; bad=1 ;;
  esac
  [ "${file%%/*}" = "${target%%/*}" ] || continue
  case " ${room_may_include[$from]-$target} " in
    *" $target "*) ;;
    *) echo "$file:$line: $from/ may not include $target/"; bad=1 ;;
  esac
done < <(grep -rnE '^#include "' "${!may_include[@]}" --include='*.h' --include='*.cpp' --include='*.cu')
# Conditional compilation for a device ends at runtime/ and parallel/.
if grep -rnE '^#\s*if.*(CUDA|NCCL|GPU)' layers models state data inference training launcher; then bad=1; fi
if grep -rnE '^#include ".*\.cpp"' --include='*.h' --include='*.cpp' "${!may_include[@]}" tests; then bad=1; fi
# clang-format puts types of a namespace into column 0; a type inside another one is Outer::Inner.
open_types=$(find runtime parallel layers models state data inference training launcher tests -name '*.cpp' -exec awk '
  FNR == 1 { anonymous = 0 }
  /^namespace \{/ { anonymous = 1 }
  /^\}  \/\/ namespace$/ { anonymous = 0 }
  !anonymous && /^(struct|class|union|enum|enum class) [A-Za-z_]+ .*\{/ { print FILENAME ":" FNR ": expected in an anonymous namespace: " $0 }' {} +)
if [ -n "$open_types" ]; then echo "$open_types"; bad=1; fi
[ "$checked" -gt 100 ] || { echo "only $checked includes found: the check itself is broken"; bad=1; }
[ "$bad" -eq 0 ] && echo "$checked includes follow the arrows"
exit "$bad"
