#include "launcher/decoding_run.h"

#include <cstdio>
#include <iostream>

#include <fmt/format.h>

#include "inference/translator.h"
#include "runtime/error.h"

namespace weft {
namespace {

const std::string& required(const std::string& verb, const std::string& model) {
  if (model.empty()) fail_input(verb + ": no model\n  expected  --model DIR: a run directory or a checkpoint");
  return model;
}

std::int64_t longest_source(const LoadedModel& loaded) {
  return loaded.config().model.max_length;
}

}  // namespace

DecodingRun::DecodingRun(const std::string& verb, const std::string& model, const std::vector<std::string>& sets, ArenaBytes arena_bytes)
    : verb_(verb),
      loaded_(required(verb, model), sets),
      problem_(make_search_problem(loaded_.model(), config().decoding, loaded_.source(), loaded_.target(), longest_source(loaded_))),
      memory_(loaded_.device().allocate(arena_bytes(problem_, *loaded_.machine().kernels, longest_source(loaded_)), MemoryKind::kDevice)),
      arena_(memory_.data(), memory_.bytes()),
      context_{loaded_.device(), loaded_.device().stream(StreamKind::kCompute), arena_, loaded_.step_state(), false} {
  if (problem_.sampling) problem_.sampling->seed = static_cast<std::uint64_t>(config().seed);
  const Machine& machine = loaded_.machine();
  log_.info(verb, fmt::format("{}, {}, {} threads", loaded_.checkpoint(), name(machine.dtype), machine.threads));
}

std::vector<std::string> take_lines_of_stdin() {
  std::ios::sync_with_stdio(false);
  std::vector<std::string> lines;
  for (std::string line; std::getline(std::cin, line);) {
    lines.push_back(std::move(line));
    if (lines.size() == kLinesTogether || std::cin.rdbuf()->in_avail() <= 0) break;
  }
  return lines;
}

void flush_stdout() {
  if (std::fflush(stdout) != 0) throw Error(ExitCode::kInternal, "stdout cannot be written");
}

}  // namespace weft
