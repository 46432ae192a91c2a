#pragma once
#include <string>
#include <vector>

#include "inference/search_problem.h"
#include "launcher/loaded_model.h"
#include "runtime/log.h"

namespace weft {

/// A trained model with the memory that a decoding verb needs, known before it reads its input.
class DecodingRun {
 public:
  /// decoding_arena_bytes or scoring_arena_bytes.
  using ArenaBytes = std::int64_t (*)(const SearchProblem&, const KernelTable&, std::int64_t max_source_length);

  /// `model` is what --model names, `sets` override keys of its configuration.
  DecodingRun(const std::string& verb, const std::string& model, const std::vector<std::string>& sets, ArenaBytes);

  const Config& config() const { return loaded_.config(); }
  const LoadedModel& loaded() const { return loaded_; }
  const SearchProblem& problem() const { return problem_; }
  Context& context() { return context_; }
  void warn(const std::string& text) { log_.warn(verb_, text); }

 private:
  std::string verb_;
  LoadedModel loaded_;
  Log log_;
  SearchProblem problem_;
  Memory memory_;
  StepArena arena_;
  Context context_;
};

/// Lines are decoded together while more are waiting, at most so many: a pipe is answered whenever it pauses, a file in large batches.
inline constexpr std::size_t kLinesTogether = 2000;

/// The next lines of stdin, as above; empty at its end.
std::vector<std::string> take_lines_of_stdin();

/// Ends a batch of result lines.
void flush_stdout();

}  // namespace weft
