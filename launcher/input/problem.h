#pragma once
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "runtime/error.h"

namespace weft {

/// Where a value was written.
struct Location {
  std::string source;        // file, "--set", "preset transformer-base"; empty: nowhere
  int line = 0, column = 0;  // from 1; 0: the source has no lines

  std::string text() const;
};

/// One mistake of a user, in the order in which it is printed; empty parts are left out.
struct Problem {
  Location at;
  std::string path;  // training.warmup_steps
  std::string what;
  std::string found, expected, nearest;
};

/// `location: path: what`, and below it found, expected, nearest.
std::string problem_text(const Problem&);
/// All of them, as the message of one Error: "weft: " stands before each but the first, where the caller of Error::what() prints it.
std::string problems_text(const std::vector<Problem>&);

/// `weft: message` to stderr; nothing of an error without a message.
void print_error(const Error&);

/// The candidate with the smallest edit distance (neighbours swapped count as one), at most 3 and at most a third of the length of the
/// word. The first of equals.
std::optional<std::string> nearest_name(std::string_view word, const std::vector<std::string>& candidates);

}  // namespace weft
