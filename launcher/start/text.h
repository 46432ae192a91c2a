#pragma once
#include <string>

#include "data/prepare/prepared.h"
#include "launcher/start/claim.h"
#include "launcher/start/start_up.h"
#include "runtime/files/json.h"

namespace weft {

/// The data of a run, opened on every rank.
struct Text {
  std::string folder;  // the prepared folder
  PreparedData data;
  Json fingerprints;       // of corpus and vocabularies; what may not change when a run goes on
  std::string validation;  // tells validation texts apart; empty: none
};

/// Phase 4: data.prepared, or RUN/prepared, which rank 0 makes when it is not there, damaged or made of other text; but with exit 64 when
/// the run has a checkpoint that was trained on that. A vocabulary that lies ready in the run directory, or belongs to
/// checkpoint.init_from, is used where it fits the settings, and refused where it does not. Then every rank opens the folder and looks
/// whether it goes with the configuration.
Text prepare_text(const StartUp&, const Claim&);

/// RUN/config.yaml, and the vocabulary files that belong to the data: a run directory alone is enough to translate. What cannot be written
/// fails with exit 79.
void write_run_files(const StartUp&, Claim&, const Text&);

}  // namespace weft
