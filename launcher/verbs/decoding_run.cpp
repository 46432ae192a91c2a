#include "launcher/verbs/decoding_run.h"

#include <fmt/format.h>

#include "inference/translator.h"
#include "runtime/error.h"

namespace weft {
namespace {

/// Checks what stands before the model is loaded, which takes this rank's share of the cores.
const std::string& prepared(const std::string& verb, const std::string& model, const Job& job) {
  if (model.empty()) fail_input(verb + ": no model\n  expected  --model DIR: a run directory, a checkpoint or an exported model");
  share_cores(job.ranks_on_host());
  return model;
}

std::int64_t longest_source(const LoadedModel& loaded) {
  return loaded.config().model.max_length;
}

}  // namespace

void add_model_options(Options& options, ModelOptions& asked, const UsedKeys& used) {
  options.path("--model", asked.model, "DIR", kModelHelp);
  options.texts("--set", asked.sets, "SECTION.KEY=VALUE...", "another value of a key that counts here: " + used.words());
  options.flag("--json", asked.json, "one JSON object a line");
}

DecodingRun::DecodingRun(const Job& job, const DecodingOptions& options)
    : verb_(options.overrides.used.verb),
      loaded_(prepared(verb_, options.model, job), options.overrides),
      log_(make_log(job)),
      problem_(make_search_problem(loaded_.model(), config().decoding, loaded_.source(), loaded_.target(), longest_source(loaded_))),
      memory_(loaded_.device().allocate(options.memory(problem_, *loaded_.machine().kernels, longest_source(loaded_)).arena,
                                        MemoryKind::kDevice)),
      arena_(memory_.data(), memory_.bytes()),
      context_{loaded_.device(), loaded_.device().stream(StreamKind::kCompute), arena_, loaded_.step_state(), false} {
  if (problem_.sampling) problem_.sampling->seed = static_cast<std::uint64_t>(config().seed);
  const Machine& machine = loaded_.machine();
  const std::string ranks = job.size() > 1 ? fmt::format("{} ranks x ", job.size()) : "";
  log_.info(verb_, fmt::format("{}, {}, {}{} threads", loaded_.checkpoint(), name(machine.dtype), ranks, machine.threads));
}

}  // namespace weft
