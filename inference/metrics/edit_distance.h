#pragma once
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace weft {

/// What turns the hypothesis into the reference, word by word.
enum class Edit : std::uint8_t { kNone, kKeep, kSubstitute, kInsert, kDelete };

struct EditPath {
  std::int64_t cost = 0;
  std::vector<Edit> edits;  // in order
};

/// Levenshtein distance of word sequences, each edit of cost 1, within a band of 25 cells on either side of the (sloped) diagonal, as
/// sacreBLEU's. Equal costs prefer keep or substitute, then delete, then insert: TER's shifts depend on which path is taken.
class EditDistance {
 public:
  explicit EditDistance(std::u32string_view reference);

  std::int64_t cost(std::u32string_view hypothesis);
  EditPath path(std::u32string_view hypothesis);

 private:
  struct Cell {
    std::int64_t cost;
    Edit edit;
  };
  using Row = std::vector<Cell>;

  void fill(std::u32string_view hypothesis);
  void fill_row(std::u32string_view hypothesis, std::size_t i);

  std::u32string reference_;
  std::u32string hypothesis_;  // what the rows were filled for; a hypothesis as long shares the rows of the common beginning
  std::vector<Row> rows_;
};

}  // namespace weft
