#include <algorithm>
#include <numeric>

#include <fmt/format.h>

#include "tests/support/parity_case.h"

namespace weft::test {
namespace {

constexpr std::int64_t kVocabulary = 11, kPositions = 5;

struct Lookup {
  std::int64_t rows, columns;
  bool positions = true;
  double p = 0;
  VocabularyPiece piece = {};
  std::int64_t piece_rows() const { return piece.vocab_size == 0 ? kVocabulary : kVocabulary / 2; }
};

std::string name_of(std::string_view kernel, const Lookup& l) {
  return fmt::format("{} {}x{}{} dropout {} tokens from {}", kernel, l.rows, l.columns, l.positions ? "" : " without positions", l.p,
                     l.piece.first);
}

/// Row numbers sorted by (token, row).
std::vector<std::int32_t> by_token(const std::vector<std::int32_t>& tokens) {
  std::vector<std::int32_t> rows(tokens.size());
  std::iota(rows.begin(), rows.end(), 0);
  const auto token = [&](std::int32_t row) { return tokens[static_cast<std::size_t>(row)]; };
  std::stable_sort(rows.begin(), rows.end(), [&](std::int32_t a, std::int32_t b) { return token(a) < token(b); });
  return rows;
}

ParityCase forward_case(const Lookup& l) {
  return parity_case(name_of("embedding_forward", l), [l](TestContext& ctx, DType dtype) {
    const Tensor y = ctx.empty({l.rows, l.columns}, dtype);
    kernels::embedding_forward(ctx, {.tokens = ctx.ints(random_ints(l.rows, kVocabulary, 1)),
                                     .positions = ctx.ints(random_ints(l.rows, kPositions, 2)),
                                     .weight = ctx.normal({l.piece_rows(), l.columns}, dtype, 3),
                                     .piece = l.piece,
                                     .position_table = l.positions ? ctx.normal({kPositions, l.columns}, dtype, 4) : Tensor(),
                                     .scale = 1.7,
                                     .dropout = row_dropout(ctx, l.rows, l.p),
                                     .y = y});
    return std::vector<Output>{y};
  });
}

ParityCase backward_case(const Lookup& l) {
  return parity_case(name_of("embedding_backward", l), [l](TestContext& ctx, DType dtype) {
    const auto tokens = random_ints(l.rows, kVocabulary, 1);
    const Tensor dweight = ctx.normal({l.piece_rows(), l.columns}, sum_type(dtype), 2);
    const Tensor dposition = ctx.normal({kPositions, l.columns}, sum_type(dtype), 3);
    kernels::embedding_backward(ctx, {.dy = ctx.normal({l.rows, l.columns}, dtype, 4),
                                      .tokens = ctx.ints(tokens),
                                      .positions = ctx.ints(random_ints(l.rows, kPositions, 5)),
                                      .by_token = ctx.ints(by_token(tokens)),
                                      .scale = 1.7,
                                      .dropout = row_dropout(ctx, l.rows, l.p),
                                      .piece = l.piece,
                                      .dweight = dweight,
                                      .dposition = l.positions ? dposition : Tensor()});
    return std::vector<Output>{dweight, dposition};
  });
}

}  // namespace

std::vector<ParityCase> embedding_parity_cases() {
  std::vector<ParityCase> cases;
  for (const std::int64_t rows : {0, 1, 7, 200}) {
    for (const std::int64_t columns : {1, 16, 37}) {
      for (const bool positions : {false, true}) {
        for (const double p : {0.0, 0.3}) {
          cases.push_back(forward_case({.rows = rows, .columns = columns, .positions = positions, .p = p}));
          cases.push_back(backward_case({.rows = rows, .columns = columns, .positions = positions, .p = p}));
        }
      }
    }
  }
  for (const std::int64_t first : {0, 4, 6}) {
    const Lookup l{.rows = 40, .columns = 19, .p = 0.3, .piece = {.first = first, .vocab_size = kVocabulary}};
    cases.push_back(forward_case(l));
    cases.push_back(backward_case(l));
  }
  return cases;
}

}  // namespace weft::test
