#pragma once
#include <string>
#include <string_view>
#include <vector>

#include "data/prepare/prepared.h"

namespace weft {

/// The files of a run directory that are written anew now and then: config.yaml, the vocabularies. RUN/.written has a line for each content
/// that the run ever gave them, checksum and name, so that what a user has put there is never overwritten.
class RunFiles {
 public:
  /// At the start, holding the run lock. Fails with exit 64 where a directory in which no run has begun has files of the names that a run
  /// writes. `has_checkpoints`: a run from before there was such a list; what is there is its own.
  RunFiles(const std::string& run_dir, bool has_checkpoints);

  bool has_checkpoints() const { return has_checkpoints_; }
  /// Fails with exit 64 where `write` would replace a file that the run did not write.
  void require_own(const std::string& name, std::string_view text) const;
  /// Leaves a file that holds the text already, so that a relaunch on a full disk goes on.
  void write(const std::string& name, std::string_view text);
  /// The vocabularies of the directory that are not to be learned anew: those that the run did not write, `weft vocab` or the user did, and
  /// all once there are checkpoints. Empty names: none.
  VocabularyFiles ready_vocabularies(bool shared) const;

 private:
  bool wrote(const std::string& name) const;
  void note(const std::string& name, std::string_view text);
  std::string run_dir_;
  bool has_checkpoints_;
  std::vector<std::string> written_;  // the lines
};

}  // namespace weft
