// One save of a tiny run, for tests that kill it at every system call: loads what is there, saves the next step, prints what happened.
// usage: save_once RUN_DIR          prints "loaded N" (-1: nothing) and "committed N"
//        save_once RUN_DIR --check  prints "loaded N" only
#include <cstdio>
#include <cstring>

#include "runtime/error.h"
#include "state/checkpoint/run_directory.h"
#include "state/checkpoint/run_lock.h"
#include "tests/state/small_state.h"

namespace weft::test {
namespace {

int run(const std::string& run_dir, bool check_only) {
  const auto storage = make_posix_storage();
  const RunLock lock(run_dir);
  SmallState state;
  if (!check_only) remove_leftovers(*storage, run_dir, state.log());
  const std::int64_t loaded = state.load(*storage, run_dir);
  std::printf("loaded %lld\n", static_cast<long long>(loaded));
  if (check_only) return 0;
  Saver::Setup setup = state.setup(*storage, {.async_save = false});
  setup.run_dir = run_dir;
  Saver saver(std::move(setup));
  if (loaded >= 0) saver.resumed(loaded, {}, {});
  if (save(state, saver, loaded + 1)) std::printf("committed %lld\n", static_cast<long long>(saver.committed_step()));
  return 0;
}

}  // namespace
}  // namespace weft::test

int main(int count, char** arguments) {
  if (count < 2) return std::fprintf(stderr, "usage: save_once RUN_DIR [--check]\n"), 64;
  std::setvbuf(stdout, nullptr, _IONBF, 0);  // what was said before a kill was said
  try {
    return weft::test::run(arguments[1], count > 2 && std::strcmp(arguments[2], "--check") == 0);
  } catch (const weft::Error& error) {
    std::fprintf(stderr, "save_once: %s\n", error.what());
    return static_cast<int>(error.code());
  }
}
