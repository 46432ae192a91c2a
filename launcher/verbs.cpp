#include "launcher/verbs.h"

namespace weft {

// Each stands in its file in verbs/.
Action train_verb(Options&);
Action launch_verb(Options&);
Action translate_verb(Options&);
Action score_verb(Options&);
Action evaluate_verb(Options&);
Action vocab_verb(Options&);
Action prepare_verb(Options&);
Action export_verb(Options&);
Action inspect_verb(Options&);
Action plan_verb(Options&);

const std::vector<Verb>& verbs() {
  static const std::vector<Verb> all = {
      {"train", "trains a model into a run directory", train_verb},
      {"launch", "starts train on several ranks and relaunches it after a fault", launch_verb},
      {"translate", "a translation for each line of stdin", translate_verb},
      {"score", "log probabilities of given targets", score_verb},
      {"evaluate", "BLEU, chrF and TER of a model, or of output that is already there", evaluate_verb},
      {"vocab", "trains the vocabulary into the run directory", vocab_verb},
      {"prepare", "turns text into a folder of binarised data", prepare_verb},
      {"export", "writes a model into a folder that needs nothing else", export_verb},
      {"inspect", "what a checkpoint, model or prepared folder holds", inspect_verb},
      {"plan", "memory of a run by name, and whether it fits, without starting it", plan_verb},
  };
  return all;
}

const std::vector<std::string>& later_verbs() {
  static const std::vector<std::string> names{"summarize", "generate", "classify", "attend", "doctor", "verify", "report"};
  return names;
}

}  // namespace weft
