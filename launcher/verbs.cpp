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
Action verify_verb(Options&);

const std::vector<Verb>& verbs() {
  static const std::vector<Verb> all = {
      {"train", "trains a model into a run directory", train_verb},
      {"launch", "starts train on several ranks and restarts it after a failure", launch_verb},
      {"translate", "translates each line of stdin", translate_verb},
      {"score", "prints log probabilities of given targets", score_verb},
      {"evaluate", "computes BLEU, chrF and TER of a model or of existing output", evaluate_verb},
      {"vocab", "trains the vocabulary into the run directory", vocab_verb},
      {"prepare", "turns text into a folder of binarised data", prepare_verb},
      {"export", "writes a model into a self-contained folder", export_verb},
      {"inspect", "shows the contents of a checkpoint, model or prepared folder", inspect_verb},
      {"plan", "itemises the memory of a run and says whether it fits, without starting it", plan_verb},
      {"verify", "proves that every layout of ranks trains the same model", verify_verb},
  };
  return all;
}

const std::vector<std::string>& later_verbs() {
  static const std::vector<std::string> names{"summarize", "generate", "classify", "attend", "doctor", "report"};
  return names;
}

}  // namespace weft
