#pragma once
#include <string>
#include <vector>

#include "data/text/file_contents.h"
#include "runtime/files/json.h"

namespace weft {

/// A prepared folder is made beside what it holds, in FOLDER/.preparing, and renamed into place when all is there: until then the earlier
/// preparation stays valid. prepared.json has the checksum of every file, so it is known what a preparation wrote.
class PreparedStaging {
 public:
  /// Removes what a preparation that was killed has left there.
  explicit PreparedStaging(const std::string& folder);
  ~PreparedStaging();
  PreparedStaging(const PreparedStaging&) = delete;
  PreparedStaging& operator=(const PreparedStaging&) = delete;

  const std::string& path() const { return path_; }
  /// Writes prepared.json, with the checksums of all that was staged and of the files of the earlier preparation that stay, and puts all
  /// into place. What only the earlier preparation had is removed.
  void commit(Json prepared, const Json& staying);

 private:
  std::string folder_, path_;
};

/// Puts into place what was whole when the process died in the middle of that.
void finish_commit(const std::string& folder);

/// Of the names of prepared.json's files, those of the vocabularies and the training data.
Json training_files(const Json& prepared);
/// Empty: every file that prepared.json lists is there as it was written. Else what is not. Of training data only, or of all.
std::string damage_of(const std::string& folder, bool training_only, FileContents&);

/// Whether the file NAME of the folder is missing, or what an earlier preparation wrote.
bool is_own_or_missing(const std::string& folder, const std::string& name, FileContents&);
/// Fails with exit 64, naming the first file that is there and that no preparation wrote.
void require_own(const std::string& folder, const std::vector<std::string>& names, FileContents&);

}  // namespace weft
