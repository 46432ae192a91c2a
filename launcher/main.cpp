#include <unistd.h>

#include <array>
#include <cstdlib>

#include "launcher/run.h"
#include "launcher/standard_streams.h"

namespace {

// OpenMP's threads spin while they wait, by default for milliseconds; beside any other program on the cores that costs a multiple of the
// time (3 times and more, measured). libgomp reads the limit when it is loaded, before main, so the program starts itself once more with
// a bounded spin: long enough for the gaps between the kernels of a step, and no longer. What the user has set stays.
void bound_spinning(char** argv) {
  if (std::getenv("OMP_WAIT_POLICY") != nullptr || std::getenv("GOMP_SPINCOUNT") != nullptr) return;
  std::array<char, 4096> self{};
  if (readlink("/proc/self/exe", self.data(), self.size() - 1) <= 0) return;
  setenv("GOMP_SPINCOUNT", "2000", 1);
  execv(self.data(), argv);  // returns only when it fails: then the program runs as it is
}

}  // namespace

int main(int argc, char** argv) {
  weft::open_missing_streams();
  bound_spinning(argv);
  return weft::run({argv + (argc > 0 ? 1 : 0), argv + argc});
}
