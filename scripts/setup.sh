#!/usr/bin/env bash
# Installs what Weft needs to build and test on Debian 12, by package name. Says what it installs; does nothing when all is there.
# usage: scripts/setup.sh
set -euo pipefail

packages=(
  g++ cmake ninja-build pkg-config ccache make                  # build
  libopenmpi-dev openmpi-bin                                    # launcher of many ranks
  libdnnl-dev ocl-icd-opencl-dev                                # matrix products; its CMake package wants the OpenCL headers
  libyaml-cpp-dev libcli11-dev libfmt-dev libspdlog-dev         # configuration, command line, text, log
  nlohmann-json3-dev libxxhash-dev libsentencepiece-dev libutf8proc-dev zlib1g-dev
  libgtest-dev libgmock-dev libbenchmark-dev librapidcheck-dev  # tests and benchmarks
  clang-format clang-tidy-16 libomp-16-dev strace python3    # checks of the source, faults in system calls; scripts/*.py
  iproute2 openssh-client procps                                # tests with two hosts
)

missing=()
for package in "${packages[@]}"; do
  status=$(dpkg-query -W -f '${Status}' "$package" 2>/dev/null || true)
  [ "$status" = "install ok installed" ] || missing+=("$package")
done
if [ ${#missing[@]} -eq 0 ]; then
  echo "setup: every package is there"
  exit 0
fi

as_root=()
if [ "$(id -u)" -ne 0 ]; then
  command -v sudo >/dev/null || { echo "setup: run as root, or install these packages by hand: ${missing[*]}" >&2; exit 1; }
  as_root=(sudo)
fi
echo "setup: installing ${missing[*]}"
log=$(mktemp)
if ! { "${as_root[@]}" apt-get update && "${as_root[@]}" env DEBIAN_FRONTEND=noninteractive \
       apt-get install -y --no-install-recommends "${missing[@]}"; } >"$log" 2>&1; then
  tail -n 20 "$log" >&2
  echo "setup: apt-get failed; its whole output is in $log" >&2
  exit 1
fi
rm -f "$log"
