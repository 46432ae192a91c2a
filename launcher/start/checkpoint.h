#pragma once
#include <optional>

#include "launcher/start/claim.h"
#include "launcher/start/start_up.h"
#include "launcher/start/text.h"
#include "state/checkpoint/load_checkpoint.h"

namespace weft {

/// Where a run begins.
struct Beginning {
  std::optional<FoundCheckpoint> found;     // it goes on from here
  std::optional<CheckpointReader> initial;  // else its first weights are of here
  Reset reset;                              // what starts anew all the same

  /// What the checkpoint says of itself; nullptr: there is none.
  const RunIdentity* recorded() const { return found ? &found->reader.manifest().run : nullptr; }
};

/// Phase 5. By checkpoint.resume: the newest whole checkpoint of the run directory; if that has none, the one that resume names, else the
/// weights of checkpoint.init_from. Refused: another model, other text or vocabularies than the checkpoint's, and resume never in a
/// directory that has checkpoints, since nothing is ever overwritten. And keys of validation where the text has none.
Beginning find_checkpoint(const StartUp&, const Claim&, const Text&);

/// What checkpoint.reset still asks of a resume from this checkpoint: what it has recorded is done.
Reset pending_reset(const CheckpointConfig&, const Manifest&);

}  // namespace weft
