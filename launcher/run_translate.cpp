#include <unistd.h>

#include <iostream>

#include <fmt/format.h>

#include "inference/decoding_memory.h"
#include "inference/translator.h"
#include "launcher/loaded_model.h"
#include "launcher/verbs.h"
#include "runtime/error.h"
#include "runtime/json.h"
#include "runtime/log.h"

namespace weft {
namespace {

/// Lines are taken together while more are waiting, so a pipe is answered whenever it pauses and a file is translated in large batches.
constexpr std::size_t kLinesTogether = 2000;

bool input_waits() {
  return std::cin.rdbuf()->in_avail() > 0;
}

void write_lines(const std::vector<std::string>& lines, bool json) {
  for (const std::string& line : lines) {
    if (!json) {
      fmt::print("{}\n", line);
      continue;
    }
    Json object = Json::object();
    object.set("text", line);
    fmt::print("{}\n", object.dump());
  }
  if (std::fflush(stdout) != 0) throw Error(ExitCode::kInternal, "stdout cannot be written");
}

}  // namespace

int run_translate(const Config&, const CommandLine& line) {
  if (line.model.empty()) fail_input("translate: no model\n  expected  --model DIR: a run directory or a checkpoint");
  LoadedModel loaded(line.model, line.sets);
  const Config& config = loaded.config();
  require_supported(config.decoding);
  Log log;
  log.info("translate", fmt::format("{}, {}, {} threads", loaded.checkpoint(), name(loaded.machine().dtype), loaded.machine().threads));

  const SearchProblem problem =
      make_search_problem(loaded.model(), config.decoding, loaded.source(), loaded.target(), config.model.max_length);
  const std::int64_t bytes = decoding_arena_bytes(problem, *loaded.machine().kernels, config.model.max_length);
  const Memory memory = loaded.device().allocate(bytes, MemoryKind::kDevice);
  StepArena arena(memory.data(), bytes);
  Context ctx{loaded.device(), loaded.device().stream(StreamKind::kCompute), arena, loaded.step_state(), false};
  const Translator translator(problem, loaded.source(), loaded.target(), config.model.max_length);
  const auto warn = [&](const std::string& text) { log.warn("translate", text); };

  std::ios::sync_with_stdio(false);
  std::vector<std::string> lines;
  std::int64_t number = 1;
  for (std::string text; std::getline(std::cin, text);) {
    lines.push_back(std::move(text));
    if (lines.size() < kLinesTogether && input_waits()) continue;
    write_lines(translator.translate(ctx, lines, number, warn), line.json);
    number += static_cast<std::int64_t>(lines.size());
    lines.clear();
  }
  if (!lines.empty()) write_lines(translator.translate(ctx, lines, number, warn), line.json);
  return static_cast<int>(ExitCode::kDone);
}

}  // namespace weft
