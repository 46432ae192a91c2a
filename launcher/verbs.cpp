#include "launcher/verbs.h"

namespace weft {

const std::vector<Verb>& verbs() {
  static const std::vector<Verb> all = {
      {.name = "train",
       .summary = "trains a model into a run directory",
       .use = ConfigUse::kTrain,
       .takes_config = true,
       .run_on_ranks = run_train},
      {.name = "launch", .summary = "starts train on several ranks and relaunches it after a fault", .run = run_launch},
      {.name = "translate", .summary = "a translation for each line of stdin", .run_shared = run_translate},
      {.name = "summarize", .summary = "a summary for each line of stdin"},
      {.name = "generate", .summary = "a continuation for each line of stdin"},
      {.name = "classify", .summary = "a label for each line of stdin"},
      {.name = "attend", .summary = "draws the attention weights of a line"},
      {.name = "score", .summary = "log probabilities of given targets", .run_shared = run_score},
      {.name = "evaluate", .summary = "BLEU, chrF and TER of a model, or of output that is already there", .run_shared = run_evaluate},
      {.name = "vocab",
       .summary = "trains the vocabulary into the run directory",
       .use = ConfigUse::kVocab,
       .takes_config = true,
       .run = run_vocab},
      {.name = "prepare",
       .summary = "turns text into a folder of binarised data",
       .use = ConfigUse::kPrepare,
       .takes_config = true,
       .run = run_prepare},
      {.name = "export", .summary = "writes a model into a folder that needs nothing else", .run_shared = run_export},
      {.name = "inspect", .summary = "what a checkpoint, model or prepared folder holds", .run = run_inspect},
      {.name = "plan",
       .summary = "memory of a run by name, and whether it fits, without starting it",
       .use = ConfigUse::kPlan,
       .takes_config = true,
       .run = run_plan},
      {.name = "doctor", .summary = "checks this machine"},
      {.name = "verify", .summary = "compares layouts with one rank on your model"},
      {.name = "report", .summary = "one HTML page about a run"},
  };
  return all;
}

const Verb* find_verb(const std::string& name) {
  for (const Verb& verb : verbs()) {
    if (verb.name == name) return &verb;
  }
  return nullptr;
}

}  // namespace weft
