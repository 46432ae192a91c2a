#pragma once
#include <string>
#include <vector>

#include "launcher/config/config.h"
#include "launcher/input/problem.h"

namespace weft {

/// A mistake in values that are valid one by one. The location is left to the caller.
struct Conflict {
  Problem problem;
  std::vector<std::string> keys;  // that take part; the first is where the problem is shown
};

/// What parallel.tensor must divide: every rank has whole heads of keys and values, and equal pieces of the feed-forward layers.
std::int64_t shared_by_tensor(const ModelConfig&);
/// `1, 2, 4 or 8`; of many `a divisor of 720720`.
std::string divisors(std::int64_t number);

/// What must hold between keys, whatever the configuration is for.
std::vector<Conflict> check_values(const Config&);
/// Keys without an effect: they need another key, and their values are neither those of `defaults` (built in, then the preset's) nor
/// values that ask for nothing. And a vocab_size that the existing vocabulary does not have.
std::vector<Conflict> check_needs(const Config&, const Config& defaults);
/// The same for data that turned out to have no validation text: exit 64.
void require_no_validation_keys(const Config&, const std::string& prepared_folder);
/// What must be given, and which files must be there, for this use.
std::vector<Conflict> check_use(const Config&, ConfigUse);

}  // namespace weft
