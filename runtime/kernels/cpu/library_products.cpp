#include <dnnl.hpp>

#include <algorithm>
#include <array>
#include <cstring>
#include <map>
#include <memory>
#include <utility>
#include <vector>

#include "runtime/kernels/cpu/matmul.h"
#include "runtime/kernels/cpu/product.h"

// The one file that knows oneDNN. Of its interfaces only the `matmul` primitive gives the same bits for one and two threads (dnnl_sgemm
// does not), and with a shape known at creation: run-time row counts go to the code of dnnl_sgemm.
namespace weft::cpu {
namespace {

using dnnl::memory;
using Description = dnnl::matmul::primitive_desc;

// Sizes of a piece, ascending: any number of rows is a few of the largest and at most four others.
constexpr std::array<std::int64_t, 32> kPieces = {1,  2,  3,  4,  5,  6,   7,   8,   9,   10,  11,  12,  13,  14,   15,   16,
                                                  32, 48, 64, 80, 96, 112, 128, 256, 384, 512, 640, 768, 896, 1024, 2048, 4096};

memory::data_type library_type(DType dtype) {
  return dtype == DType::kBFloat16 ? memory::data_type::bf16 : memory::data_type::f32;
}

/// (rows, columns) as the product reads it; stored the other way round when transposed.
memory::desc matrix(std::int64_t rows, std::int64_t columns, DType dtype, std::int64_t stride, bool transposed) {
  return {{rows, columns}, library_type(dtype), transposed ? memory::dims{1, stride} : memory::dims{stride, 1}};
}

dnnl::primitive_attr attributes(const Product& p) {
  dnnl::primitive_attr result;
  result.set_scratchpad_mode(dnnl::scratchpad_mode::user);  // else the library allocates inside the step
  dnnl::post_ops after;
  if (p.accumulate) after.append_sum(1.f);
#if DNNL_VERSION_MAJOR >= 3
  if (p.relu) after.append_eltwise(dnnl::algorithm::eltwise_relu, 0.f, 0.f);
#else
  if (p.relu) after.append_eltwise(1.f, dnnl::algorithm::eltwise_relu, 0.f, 0.f);
#endif
  result.set_post_ops(after);
  return result;
}

Description describe(const Product& p, std::int64_t rows, const dnnl::engine& engine) {
  const std::int64_t m = p.rows_are_inner ? p.m : rows, k = p.rows_are_inner ? rows : p.k;
  const memory::desc a = matrix(m, k, p.input, p.a_stride, p.transpose_a), b = matrix(k, p.n, p.input, p.b_stride, p.transpose_b);
  const memory::desc y = matrix(m, p.n, p.output, p.y_stride, false);
  const memory::desc bias = p.bias ? matrix(1, p.n, p.input, p.n, false) : memory::desc();
  constexpr bool kMayBeEmpty = true;
#if DNNL_VERSION_MAJOR >= 3
  return p.bias ? Description(engine, a, b, bias, y, attributes(p), kMayBeEmpty) : Description(engine, a, b, y, attributes(p), kMayBeEmpty);
#else
  const dnnl::matmul::desc what = p.bias ? dnnl::matmul::desc(a, b, bias, y) : dnnl::matmul::desc(a, b, y);
  return Description(what, attributes(p), engine, kMayBeEmpty);
#endif
}

/// A primitive and its arguments, whose addresses are set before each call.
class Primitive {
 public:
  Primitive(const Product& p, const Description& description, const dnnl::engine& engine) : primitive_(description) {
    add(DNNL_ARG_SRC, description.src_desc(), engine);
    add(DNNL_ARG_WEIGHTS, description.weights_desc(), engine);
    add(DNNL_ARG_DST, description.dst_desc(), engine);
    add(DNNL_ARG_SCRATCHPAD, description.scratchpad_desc(), engine);
    if (p.bias) add(DNNL_ARG_BIAS, matrix(1, p.n, p.input, p.n, false), engine);
  }

  void run(const ProductData& data, const dnnl::stream& stream) {
    set(0, data.a);
    set(1, data.b);
    set(2, data.y);
    set(3, data.workspace);
    if (used_ == 5) set(4, data.bias);
    dnnl::error::wrap_c_api(dnnl_primitive_execute(primitive_.get(), stream.get(), used_, arguments_.data()), "oneDNN refuses a matmul");
  }

 private:
  void add(int argument, const memory::desc& description, const dnnl::engine& engine) {
    const auto i = static_cast<std::size_t>(used_++);
    memories_[i] = memory(description, engine, nullptr);
    arguments_[i] = {argument, memories_[i].get()};
  }
  void set(std::size_t i, const std::byte* data) { memories_[i].set_data_handle(const_cast<std::byte*>(data)); }

  dnnl::primitive primitive_;
  std::array<memory, 5> memories_;
  std::array<dnnl_exec_arg_t, 5> arguments_;
  int used_ = 0;
};

/// One product: a primitive for each size of a piece that was met, and how much workspace they want.
struct Family {
  std::array<std::unique_ptr<Primitive>, kPieces.size()> primitives;
  std::vector<std::int64_t> largest_workspace;  // of the first i + 1 sizes; the library's own figure falls here and there
  std::int64_t last_use = 0;
};

/// The primitives of one thread: ranks may be threads of one process.
class Cache {
 public:
  Family& family(const Product& p) {
    auto found = families_.find(p);
    if (found == families_.end()) {
      if (families_.size() >= kMaxFamilies) evict();
      found = families_.emplace(p, Family{}).first;
    }
    found->second.last_use = ++uses_;
    return found->second;
  }

  Primitive& primitive(const Product& p, Family& family, std::size_t piece) {
    std::unique_ptr<Primitive>& result = family.primitives[piece];
    if (result == nullptr) {
      result = std::make_unique<Primitive>(p, describe(p, kPieces[piece], engine_), engine_);
      ++created_;
    }
    return *result;
  }

  std::int64_t workspace(const Product& p, std::size_t piece) {
    std::vector<std::int64_t>& largest = family(p).largest_workspace;
    while (largest.size() <= piece) {
      const Description description = describe(p, kPieces[largest.size()], engine_);
      const auto bytes = static_cast<std::int64_t>(description.scratchpad_desc().get_size());
      largest.push_back(std::max(bytes, largest.empty() ? 0 : largest.back()));
    }
    return largest[piece];
  }

  const dnnl::engine& engine() const { return engine_; }
  const dnnl::stream& stream() const { return stream_; }
  std::int64_t created() const { return created_; }

 private:
  static constexpr std::size_t kMaxFamilies = 128;  // a model has some dozens; each holds at most 32 primitives of about 60 kB
  void evict() {
    families_.erase(std::min_element(families_.begin(), families_.end(),
                                     [](const auto& a, const auto& b) { return a.second.last_use < b.second.last_use; }));
  }

  dnnl::engine engine_{dnnl::engine::kind::cpu, 0};
  dnnl::stream stream_{engine_};
  std::map<Product, Family> families_;
  std::int64_t uses_ = 0, created_ = 0;
};

Cache& cache() {
  static thread_local Cache cache;
  return cache;
}

/// Index of the largest piece that fits into `rows` (> 0).
std::size_t largest_piece(std::int64_t rows) {
  return static_cast<std::size_t>(std::upper_bound(kPieces.begin(), kPieces.end(), rows) - kPieces.begin()) - 1;
}

// In bf16 the library sums a few rows in another order than many. So a piece of fewer rows than this becomes one of so many: a tile of AMX.
constexpr std::int64_t kPadded = 16;

bool is_padded(const Product& p) {
  return p.input == DType::kBFloat16 && !p.rows_are_inner;
}

/// Whether later pieces add to the first.
bool is_summed_by_piece(const Product& p) {
  return p.rows_are_inner && !p.accumulate;
}

Product adding(Product p) {
  p.accumulate = true;
  return p;
}

/// The product with its rows packed in the workspace.
Product padded(Product p) {
  p.a_stride = p.k;
  p.y_stride = p.n;
  return p;
}

std::int64_t padding_bytes(const Product& p) {
  constexpr std::int64_t kAlign = 64;
  return (kPadded * (p.k * size_of(p.input) + p.n * size_of(p.output)) + kAlign - 1) / kAlign * kAlign;
}

void copy_rows(std::int64_t rows, std::int64_t bytes, const std::byte* from, std::int64_t from_stride, std::byte* to,
               std::int64_t to_stride) {
  for (std::int64_t r = 0; r < rows; ++r) std::memcpy(to + r * to_stride, from + r * from_stride, static_cast<std::size_t>(bytes));
}

void run_padded(const Product& p, std::int64_t rows, const ProductData& data) {
  const Product packed = padded(p);
  const std::int64_t a_bytes = p.k * size_of(p.input), y_bytes = p.n * size_of(p.output), y_stride = p.y_stride * size_of(p.output);
  std::byte *a = data.workspace, *y = a + kPadded * a_bytes;
  copy_rows(rows, a_bytes, data.a, p.a_stride * size_of(p.input), a, a_bytes);
  std::memset(a + rows * a_bytes, 0, static_cast<std::size_t>((kPadded - rows) * a_bytes));
  std::memset(y, 0, static_cast<std::size_t>(kPadded * y_bytes));
  if (p.accumulate) copy_rows(rows, y_bytes, data.y, y_stride, y, y_bytes);
  Primitive& primitive = cache().primitive(packed, cache().family(packed), largest_piece(kPadded));
  primitive.run({.a = a, .b = data.b, .bias = data.bias, .y = y, .workspace = a + padding_bytes(p)}, cache().stream());
  copy_rows(rows, y_bytes, y, y_bytes, data.y, y_stride);
}

std::int64_t product_workspace(const Product& p, std::int64_t rows) {
  if (rows == 0) return 0;
  std::int64_t bytes = cache().workspace(p, largest_piece(rows));
  if (is_summed_by_piece(p)) bytes = std::max(bytes, cache().workspace(adding(p), largest_piece(rows)));
  if (!is_padded(p)) return bytes;
  return padding_bytes(p) + std::max(bytes, cache().workspace(padded(p), largest_piece(kPadded)));
}

void run_product(const Product& p, std::int64_t rows, const ProductData& data) {
  Family& family = cache().family(p);
  ProductData piece = data;
  for (std::int64_t done = 0; done < rows;) {
    if (is_padded(p) && rows - done < kPadded) return run_padded(p, rows - done, piece);
    const std::size_t size = largest_piece(rows - done);
    cache().primitive(p, family, size).run(piece, cache().stream());
    done += kPieces[size];
    piece.a += kPieces[size] * p.a_stride * size_of(p.input);
    if (p.rows_are_inner) piece.b += kPieces[size] * (p.transpose_b ? 1 : p.b_stride) * size_of(p.input);
    if (!p.rows_are_inner) piece.y += kPieces[size] * p.y_stride * size_of(p.output);
    if (is_summed_by_piece(p) && done < rows) return run_product(adding(p), rows - done, piece);
  }
}

bool multiply_bf16() {
  const Product smallest{.m = 0,
                         .k = 16,
                         .n = 16,
                         .rows_are_inner = false,
                         .transpose_a = false,
                         .transpose_b = false,
                         .bias = false,
                         .relu = false,
                         .accumulate = false,
                         .input = DType::kBFloat16,
                         .output = DType::kBFloat16,
                         .a_stride = 16,
                         .b_stride = 16,
                         .y_stride = 16,
                         .threads = 1};
  static const bool answer = static_cast<bool>(describe(smallest, 16, cache().engine()));
  return answer;
}

std::int64_t no_packed_bytes(std::int64_t, std::int64_t) {
  return 0;
}

}  // namespace

const Products library_products = {
    .multiply_bf16 = multiply_bf16, .workspace = product_workspace, .run = run_product, .packed_bytes = no_packed_bytes};

}  // namespace weft::cpu

std::int64_t weft::matmul_primitives_created() {
  return cpu::cache().created();
}
