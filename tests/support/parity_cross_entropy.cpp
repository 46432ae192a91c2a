#include <fmt/format.h>

#include "tests/support/parity_case.h"

namespace weft::test {
namespace {

struct Loss {
  std::int64_t rows, classes;
  double label_smoothing = 0;
  double offset = 0;  // of all logits
  bool in_place = false, loss_only = false, ties = false;
};

std::string name_of(const Loss& l) {
  return fmt::format("cross_entropy {}x{} smoothing {} offset {}{}{}{}", l.rows, l.classes, l.label_smoothing, l.offset,
                     l.in_place ? " in place" : "", l.loss_only ? " loss only" : "", l.ties ? " ties" : "");
}

Tensor logits_of(TestContext& ctx, const Loss& l, DType dtype) {
  std::vector<double> logits = to_doubles(ctx.normal({l.rows, l.classes}, DType::kFloat64, 1, 3.0));
  for (double& logit : logits) logit = l.offset + (l.ties ? 1.0 : logit);
  return ctx.floats(logits, dtype, {l.rows, l.classes});
}

ParityCase loss_case(const Loss& l) {
  return parity_case(name_of(l), [l](TestContext& ctx, DType dtype) {
    ctx.step_state(StepState::kLossScale) = 0.25;
    std::vector<double> weights;
    for (std::int64_t r = 0; r < l.rows; ++r) weights.push_back(r % 3 == 2 ? 0.0 : 1.0 + 0.5 * static_cast<double>(r % 2));  // 0: a dummy
    const DType sum = sum_type(dtype);
    const Tensor logits = logits_of(ctx, l, sum);
    const Tensor dlogits = l.loss_only ? Tensor() : l.in_place && dtype == sum ? logits : ctx.empty(logits.shape, dtype);
    const Tensor sums = ctx.floats({1, 2, 3, 4}, DType::kFloat64, {LossSums::kFields});
    kernels::cross_entropy(ctx, {.logits = logits,
                                 .labels = ctx.ints(random_ints(l.rows, l.ties ? 2 : l.classes, 2)),
                                 .weights = ctx.floats(weights, DType::kFloat32, {l.rows}),
                                 .label_smoothing = l.label_smoothing,
                                 .dlogits = dlogits,
                                 .sums = sums});
    std::vector<Output> outputs;
    // One by one, since the largest of them would hide an error of the others.
    for (std::int64_t i = 0; i < LossSums::kFields; ++i) outputs.push_back({sums.slice(0, i, 1), sum});
    if (dlogits.defined()) outputs.push_back(dlogits);
    return outputs;
  });
}

/// A vocabulary of `classes` cut at `cuts`: the statistics of each piece, their merge, and loss and gradient of each piece. It is a case of
/// all three kernels, `kernel` being one of them.
ParityCase pieces_case(const char* kernel, std::int64_t rows, std::int64_t classes, const std::vector<std::int64_t>& cuts, bool in_place) {
  const std::string name = fmt::format("{} {}x{} {} pieces{}", kernel, rows, classes, cuts.size() + 1, in_place ? " in place" : "");
  return parity_case(name, [=](TestContext& ctx, DType dtype) {
    ctx.step_state(StepState::kLossScale) = 0.25;
    const DType sum = sum_type(dtype);
    const Tensor labels = ctx.ints(random_ints(rows, classes, 2));
    const Tensor weights = ctx.floats(to_doubles(ctx.normal({rows}, DType::kFloat64, 3)), DType::kFloat32, {rows});
    const auto pieces = static_cast<std::int64_t>(cuts.size()) + 1;
    const Tensor all = ctx.empty({pieces * rows, SoftmaxStatistics::kFields}, kDouble);
    const Tensor whole = ctx.empty({rows, SoftmaxStatistics::kFields}, kDouble);
    std::vector<Tensor> logits;
    std::vector<VocabularyPiece> where;
    for (std::int64_t i = 0; i < pieces; ++i) {
      const std::int64_t first = i == 0 ? 0 : cuts[static_cast<std::size_t>(i - 1)];
      const std::int64_t end = i + 1 == pieces ? classes : cuts[static_cast<std::size_t>(i)];
      where.push_back({.first = first, .vocab_size = classes});
      logits.push_back(ctx.normal({rows, end - first}, sum, static_cast<std::uint64_t>(10 + i), 3.0));
      kernels::softmax_statistics(
          ctx, {.logits = logits.back(), .labels = labels, .piece = where.back(), .statistics = all.rows(i * rows, rows)});
    }
    kernels::merge_statistics(ctx, {.pieces = all, .statistics = whole});
    std::vector<Output> outputs;
    for (std::int64_t field = 0; field < SoftmaxStatistics::kFields; ++field) outputs.push_back({whole.slice(1, field, 1), sum});
    for (std::size_t i = 0; i < logits.size(); ++i) {
      const Tensor dlogits = in_place && dtype == sum ? logits[i] : ctx.empty(logits[i].shape, dtype);
      const Tensor sums = ctx.zeros({LossSums::kFields}, DType::kFloat64);
      kernels::cross_entropy(ctx, {.logits = logits[i],
                                   .labels = labels,
                                   .weights = weights,
                                   .label_smoothing = 0.1,
                                   .piece = where[i],
                                   .statistics = whole,
                                   .dlogits = dlogits,
                                   .sums = sums});
      outputs.push_back({sums, sum});
      outputs.push_back(dlogits);
    }
    return outputs;
  });
}

std::int64_t loss_workspace(const KernelTable& kernels, DType dtype, std::int64_t rows) {
  return kernels.cross_entropy.workspace_bytes({.logits = Tensor(nullptr, {rows, 100}, sum_type(dtype)),
                                                .labels = Tensor(nullptr, {rows}, DType::kInt32),
                                                .weights = Tensor(nullptr, {rows}, DType::kFloat32),
                                                .dlogits = Tensor(nullptr, {rows, 100}, dtype),
                                                .sums = Tensor(nullptr, {LossSums::kFields}, DType::kFloat64)});
}

}  // namespace

std::vector<ParityCase> cross_entropy_parity_cases() {
  std::vector<ParityCase> cases;
  for (const std::int64_t rows : {0, 1, 5, 64}) {
    for (const std::int64_t classes : {1, 2, 33, 1000}) {
      for (const double smoothing : {0.0, 0.1}) {
        cases.push_back(loss_case({.rows = rows, .classes = classes, .label_smoothing = smoothing}));
        cases.push_back(loss_case({.rows = rows, .classes = classes, .label_smoothing = smoothing, .in_place = true}));
        cases.push_back(loss_case({.rows = rows, .classes = classes, .label_smoothing = smoothing, .loss_only = true}));
      }
    }
  }
  cases.push_back(loss_case({.rows = 9, .classes = 40, .label_smoothing = 0.1, .offset = 1000}));
  cases.push_back(loss_case({.rows = 9, .classes = 40, .offset = -1000}));
  cases.push_back(loss_case({.rows = 9, .classes = 40, .ties = true}));
  for (const char* kernel : {"softmax_statistics", "merge_statistics", "cross_entropy"}) {
    for (const bool in_place : {false, true}) {
      cases.push_back(pieces_case(kernel, 0, 40, {17}, in_place));
      cases.push_back(pieces_case(kernel, 9, 1000, {64, 600}, in_place));
      cases.push_back(pieces_case(kernel, 7, 33, {10, 10, 33}, in_place));  // two pieces without a column
    }
  }
  cases.push_back(growing_workspace_case("cross_entropy_workspace never falls", loss_workspace));
  return cases;
}

}  // namespace weft::test
