#pragma once
#include <string>
#include <vector>

#include "inference/decoding_memory.h"
#include "inference/search/search_problem.h"
#include "launcher/input/options.h"
#include "launcher/ranks/job.h"
#include "launcher/verbs/loaded_model.h"
#include "runtime/log.h"

namespace weft {

/// What a decoding verb asks for.
struct DecodingOptions {
  /// decoding_memory or scoring_memory.
  using MemoryOf = DecodingMemory (*)(const SearchProblem&, const KernelTable&, std::int64_t max_length);

  std::string model;  // what --model names
  Overrides overrides;
  MemoryOf memory;
};

/// What every verb that decodes is asked: --model, --set, --json.
struct ModelOptions {
  std::string model;
  std::vector<std::string> sets;
  bool json = false;
};
inline constexpr const char* kModelHelp = "a run directory, one of its checkpoints or an exported model";
void add_model_options(Options&, ModelOptions&, const UsedKeys& used);

/// A trained model with the memory that a decoding verb needs, known before it reads its input.
class DecodingRun {
 public:
  /// On every rank of the job, each with its share of the cores of its host.
  DecodingRun(const Job&, const DecodingOptions&);

  const Config& config() const { return loaded_.config(); }
  const LoadedModel& loaded() const { return loaded_; }
  const SearchProblem& problem() const { return problem_; }
  Context& context() { return context_; }
  void say(const std::string& text) { log_.info(verb_, text); }
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

}  // namespace weft
