#include "tests/runtime/kernels/broken_kernels.h"

namespace weft::test {

using namespace weft::kernels;

void break_attention(Tables& t) {
  add(t, "attention_forward: scale", &KernelTable::attention_forward, [](Context& c, const AttentionForward& a) {
    AttentionForward b = a;
    b.scale *= 1.1;
    right().attention_forward.run(c, b);
  });
  add(t, "attention_forward: not causal", &KernelTable::attention_forward, [](Context& c, const AttentionForward& a) {
    AttentionForward b = a;
    b.causal = false;
    right().attention_forward.run(c, b);
  });
  add(t, "attention_forward: no dropout mask", &KernelTable::attention_forward, [](Context& c, const AttentionForward& a) {
    AttentionForward b = a;
    b.dropout = {};
    right().attention_forward.run(c, b);
  });
  add(t, "attention_forward: key_stride off by one", &KernelTable::attention_forward, [](Context& c, const AttentionForward& a) {
    AttentionForward b = a;
    b.dropout.key_stride -= 1;
    right().attention_forward.run(c, b);
  });
  add(t, "attention_forward: last key left out", &KernelTable::attention_forward, [](Context& c, const AttentionForward& a) {
    Changed length(a.rows.key_length, [](int n) { return n > 1 ? n - 1 : n; });
    AttentionForward b = a;
    b.rows.key_length = length.tensor();
    right().attention_forward.run(c, b);
  });
  add(t, "attention_forward: keys begin one too early", &KernelTable::attention_forward, [](Context& c, const AttentionForward& a) {
    Changed begin(a.rows.key_begin, [](int row) { return std::max(row - 1, 0); });
    AttentionForward b = a;
    b.rows.key_begin = begin.tensor();
    right().attention_forward.run(c, b);
  });
  add(t, "attention_forward: no log-sum-exp", &KernelTable::attention_forward, [](Context& c, const AttentionForward& a) {
    AttentionForward b = a;
    b.lse = {};
    right().attention_forward.run(c, b);
  });
  add_workspace(t, "attention_forward_workspace: too small", &KernelTable::attention_forward,
                [](const AttentionForward&) { return std::int64_t{0}; });
  add(t, "attention_backward: sign of dq", &KernelTable::attention_backward, [](Context& c, const AttentionBackward& a) {
    right().attention_backward.run(c, a);
    multiply(Tensor(a.dq).view({a.dq.size(0), a.dq.size(1) * a.dq.size(2)}), -1);
  });
  add(t, "attention_backward: scale", &KernelTable::attention_backward, [](Context& c, const AttentionBackward& a) {
    AttentionBackward b = a;
    b.scale *= 1.1;
    right().attention_backward.run(c, b);
  });
  add(t, "attention_backward: not causal", &KernelTable::attention_backward, [](Context& c, const AttentionBackward& a) {
    AttentionBackward b = a;
    b.causal = false;
    right().attention_backward.run(c, b);
  });
  add(t, "attention_backward: no dropout mask", &KernelTable::attention_backward, [](Context& c, const AttentionBackward& a) {
    AttentionBackward b = a;
    b.dropout = {};
    right().attention_backward.run(c, b);
  });
  add(t, "attention_forward: not rotated", &KernelTable::attention_forward, [](Context& c, const AttentionForward& a) {
    AttentionForward b = a;
    b.positions.rotation = {};
    right().attention_forward.run(c, b);
  });
  add(t, "attention_forward: other pairs rotated", &KernelTable::attention_forward, [](Context& c, const AttentionForward& a) {
    AttentionForward b = a;
    b.positions.pairing = RotaryPairing::kHalf;
    right().attention_forward.run(c, b);
  });
  add(t, "attention_forward: no slopes", &KernelTable::attention_forward, [](Context& c, const AttentionForward& a) {
    AttentionForward b = a;
    b.positions.slopes = {};
    right().attention_forward.run(c, b);
  });
  add(t, "attention_backward: not rotated", &KernelTable::attention_backward, [](Context& c, const AttentionBackward& a) {
    AttentionBackward b = a;
    b.positions.rotation = {};
    right().attention_backward.run(c, b);
  });
  add(t, "attention_backward: no slopes", &KernelTable::attention_backward, [](Context& c, const AttentionBackward& a) {
    AttentionBackward b = a;
    b.positions.slopes = {};
    right().attention_backward.run(c, b);
  });
  add_workspace(t, "attention_backward_workspace: too small", &KernelTable::attention_backward,
                [](const AttentionBackward&) { return std::int64_t{0}; });
}

void break_cross_entropy(Tables& t) {
  add(t, "cross_entropy: no label smoothing", &KernelTable::cross_entropy, [](Context& c, const CrossEntropy& a) {
    CrossEntropy b = a;
    b.label_smoothing = 0;
    right().cross_entropy.run(c, b);
  });
  add(t, "cross_entropy: no loss scale", &KernelTable::cross_entropy, [](Context& c, const CrossEntropy& a) {
    OtherState other(c, StepState::kLossScale, 1);
    right().cross_entropy.run(other.context(), a);
  });
  add(t, "cross_entropy: weights ignored", &KernelTable::cross_entropy, [](Context& c, const CrossEntropy& a) {
    std::vector<float> ones(static_cast<std::size_t>(a.weights.size(0)), 1.0f);
    CrossEntropy b = a;
    b.weights = Tensor(ones.data(), a.weights.shape, DType::kFloat32);
    right().cross_entropy.run(c, b);
  });
  add(t, "cross_entropy: label off by one", &KernelTable::cross_entropy, [](Context& c, const CrossEntropy& a) {
    Changed labels(a.labels, [&](int label) { return (label + 1) % a.logits.size(1); });
    CrossEntropy b = a;
    b.labels = labels.tensor();
    right().cross_entropy.run(c, b);
  });
  add(t, "cross_entropy: sign of dlogits", &KernelTable::cross_entropy, [](Context& c, const CrossEntropy& a) {
    right().cross_entropy.run(c, a);
    if (a.dlogits.defined()) multiply(a.dlogits, -1);
  });
  add(t, "cross_entropy: correct rows not counted", &KernelTable::cross_entropy, [](Context& c, const CrossEntropy& a) {
    const double before = a.sums.as<double>()[LossSums::kCorrect];
    right().cross_entropy.run(c, a);
    a.sums.as<double>()[LossSums::kCorrect] = before;
  });
  add(t, "cross_entropy: the piece begins at 0", &KernelTable::cross_entropy, [](Context& c, const CrossEntropy& a) {
    CrossEntropy b = a;
    b.piece.first = 0;
    right().cross_entropy.run(c, b);
  });
  add(t, "cross_entropy: statistics of whole rows ignored", &KernelTable::cross_entropy, [](Context& c, const CrossEntropy& a) {
    CrossEntropy b = a;
    if (b.logits.size(1) > 0) b.statistics = {};
    b.piece = {.first = 0, .vocab_size = std::max<std::int64_t>(a.piece.vocab_size, 1)};
    right().cross_entropy.run(c, b);
  });
  add(t, "softmax_statistics: label of another piece", &KernelTable::softmax_statistics, [](Context& c, const RowStatistics& a) {
    RowStatistics b = a;
    b.piece.first = 0;
    right().softmax_statistics.run(c, b);
  });
  add(t, "merge_statistics: the first piece alone", &KernelTable::merge_statistics, [](Context& c, const MergeStatistics& a) {
    right().merge_statistics.run(c, {.pieces = a.pieces.rows(0, a.statistics.size(0)), .statistics = a.statistics});
  });
  add(t, "merge_statistics: sums of other maxima", &KernelTable::merge_statistics, [](Context& c, const MergeStatistics& a) {
    right().merge_statistics.run(c, a);
    for (std::int64_t r = 0; r < a.statistics.size(0); ++r) a.statistics.as<double>()[r * 5 + 1] *= 1.01;
  });
  add_workspace(t, "cross_entropy_workspace: falls", &KernelTable::cross_entropy,
                [](const CrossEntropy& a) { return std::max<std::int64_t>(0, 10000 - a.labels.size(0)); });
}

}  // namespace weft::test
