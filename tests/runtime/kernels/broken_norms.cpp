#include "tests/runtime/kernels/broken_kernels.h"

namespace weft::test {

using namespace weft::kernels;

void break_norms(Tables& t) {
  add(t, "norm_forward: eps left out", &KernelTable::norm_forward, [](Context& c, const NormForward& a) {
    NormForward b = a;
    b.eps = 0;
    right().norm_forward.run(c, b);
  });
  add(t, "norm_forward: last row left out", &KernelTable::norm_forward, [](Context& c, const NormForward& a) {
    NormForward b = a;
    b.x = but_last(a.x);
    right().norm_forward.run(c, b);
  });
  add(t, "norm_forward: no mask", &KernelTable::norm_forward, [](Context& c, const NormForward& a) {
    NormForward b = a;
    b.dropout = {};
    right().norm_forward.run(c, b);
  });
  add(t, "norm_forward: rstd scaled", &KernelTable::norm_forward, [](Context& c, const NormForward& a) {
    right().norm_forward.run(c, a);
    multiply(a.rstd, 1.1f);
  });
  add(t, "norm_backward: dz_add left out", &KernelTable::norm_backward, [](Context& c, const NormBackward& a) {
    NormBackward b = a;
    b.dz_add = {};
    right().norm_backward.run(c, b);
  });
  add(t, "norm_backward: dweight overwritten", &KernelTable::norm_backward, [](Context& c, const NormBackward& a) {
    multiply(a.dweight, 0);
    right().norm_backward.run(c, a);
  });
  add(t, "norm_backward: no mask", &KernelTable::norm_backward, [](Context& c, const NormBackward& a) {
    NormBackward b = a;
    b.dropout = {};
    right().norm_backward.run(c, b);
  });
  add(t, "norm_backward: sign of dbias", &KernelTable::norm_backward, [](Context& c, const NormBackward& a) {
    right().norm_backward.run(c, a);
    multiply(a.dbias, -1);
  });
  add_workspace(t, "norm_backward_workspace: falls", &KernelTable::norm_backward,
                [](const NormBackward& a) { return std::max<std::int64_t>(0, 10000 - a.z.size(0)); });
}

void break_embedding(Tables& t) {
  add(t, "embedding_forward: no scale", &KernelTable::embedding_forward, [](Context& c, const EmbeddingForward& a) {
    EmbeddingForward b = a;
    b.scale = 1;
    right().embedding_forward.run(c, b);
  });
  add(t, "embedding_forward: position off by one", &KernelTable::embedding_forward, [](Context& c, const EmbeddingForward& a) {
    Changed positions(a.positions, [&](int p) { return a.position_table.defined() ? (p + 1) % a.position_table.size(0) : p; });
    EmbeddingForward b = a;
    b.positions = positions.tensor();
    right().embedding_forward.run(c, b);
  });
  add(t, "embedding_backward: no mask", &KernelTable::embedding_backward, [](Context& c, const EmbeddingBackward& a) {
    EmbeddingBackward b = a;
    b.dropout = {};
    right().embedding_backward.run(c, b);
  });
  add(t, "embedding_backward: no scale", &KernelTable::embedding_backward, [](Context& c, const EmbeddingBackward& a) {
    EmbeddingBackward b = a;
    b.scale = 1;
    right().embedding_backward.run(c, b);
  });
  add(t, "embedding_backward: no gradient of positions", &KernelTable::embedding_backward, [](Context& c, const EmbeddingBackward& a) {
    EmbeddingBackward b = a;
    b.dposition = {};
    right().embedding_backward.run(c, b);
  });
}

}  // namespace weft::test
