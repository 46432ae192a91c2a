#pragma once
#include <optional>
#include <string>

#include "data/prepare/prepared.h"
#include "launcher/config/config.h"
#include "launcher/verbs/run_files.h"
#include "runtime/files/storage.h"
#include "runtime/log.h"
#include "state/checkpoint/load_checkpoint.h"

namespace weft {

/// Creates the folder, with mode 0700 and its parents, when it is not there. What cannot be made fails with exit 64.
void make_run_directory(const std::string& run_dir);
/// RUN/config.yaml, and the vocabulary files that belong to the data: a run directory alone is enough to translate.
/// What cannot be written fails with exit 79.
void write_run_files(RunFiles&, const Config&, const PreparedData&, const std::string& prepared_folder);

/// The prepared folder of the run: data.prepared, or RUN/prepared, which is made here when it is not there, damaged or made of other text;
/// but with exit 64 when the run has a checkpoint that was trained on that. A vocabulary that lies ready in the run directory is used where
/// it fits the settings, and refused where it does not. `initial`: the vocabularies of checkpoint.init_from, used in their place; empty:
/// none.
std::string prepare_when_needed(const Config&, const RunFiles&, const VocabularyFiles& initial, Storage&, Log&);

/// The checkpoint a run goes on from, by checkpoint.resume: the newest whole one of the run directory; if that has none, the one that
/// resume names. Refused: resume never in a directory that has checkpoints, since nothing is ever overwritten.
std::optional<FoundCheckpoint> find_start(const Config&, Storage&, Control&, Log&);

/// Fails with exit 64 where prepared data do not go with the configuration: one vocabulary or two, sentences longer than model.max_length.
void require_fitting(const Config&, const PreparedData&, const std::string& prepared_folder);

/// Of corpus and vocabularies; what may not change when a run goes on.
Json fingerprints(const PreparedData&);
/// Of the validation data and their text, which every rank reads for itself; empty: none.
std::string validation_fingerprint(const PreparedData&);
/// Fails with exit 64, naming each key that makes another model than the checkpoint's.
void require_same_model(const std::string& recorded_config, const Config& config, const std::string& checkpoint);
/// Fails with exit 64, naming each one that differs. `other_corpus`: it may be another one, but the vocabularies stay.
void require_same_data(const Json& recorded, const Json& now, const std::string& checkpoint, bool other_corpus);

/// What checkpoint.reset still asks of a resume from this checkpoint: what it has recorded is done.
Reset pending_reset(const CheckpointConfig&, const Manifest&);

/// The checkpoint that checkpoint.init_from names; empty: none is named, or the run has checkpoints of its own, which is logged.
std::string find_initial(const Config&, const RunFiles&, Storage&, Log&);
/// Fails with exit 64 where the data were not made with the vocabularies of the weights that the run starts with.
void require_initial_vocabularies(const CheckpointReader& initial, const Json& data_fingerprints);

}  // namespace weft
