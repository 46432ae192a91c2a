#pragma once
#include <cstdint>
#include <deque>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "runtime/random.h"
#include "runtime/tensor.h"

namespace weft {

/// A region of a tensor: `size` elements from `begin` on, by dim.
struct Box {
  Shape begin;
  Shape size;
};

/// How a tensor is dealt to the ranks of tensor parallelism: along dim `dim`, in equal pieces of whole units; the last one is what is left.
struct Cut {
  int dim = 0;
  int rank = 0, size = 1;
  std::int64_t unit = 1;
};
/// What rank `cut.rank` holds of a tensor; of size one, all of it.
Box box_of(const Shape&, const Cut&);

/// A tensor as files name it. Fused or padded storage never shows in a part.
struct Part {
  std::string name;  // encoder.layers.0.self_attn.q_proj.weight
  Shape shape;       // of the whole tensor
  Box box;           // what this rank holds of it
  std::int64_t row;  // where that lies: first row (dim 0) of the parameter's storage
};

/// How a parameter starts. Drawn on the host: the key comes from the part's name, the counter is the global index of the element.
struct Init {
  enum class Kind { kZeros, kOnes, kXavierUniform, kNormal, kSinusoidal, kSinusoidalHalves, kRotary, kSlopes } kind = Kind::kZeros;
  double factor = 1;  // xavier: gain; normal: deviation; rotary: base

  static Init zeros() { return {Kind::kZeros}; }
  static Init ones() { return {Kind::kOnes}; }
  /// Uniform in +- gain sqrt(6 / (rows + columns)) of the part's own shape.
  static Init xavier_uniform(double gain = 1) { return {Kind::kXavierUniform, gain}; }
  static Init normal(double deviation) { return {Kind::kNormal, deviation}; }
  /// (P, C): even columns sin, odd columns cos of p 10000^(-2i/C), i the pair of columns. arXiv 1706.03762.
  static Init sinusoidal() { return {Kind::kSinusoidal}; }
  /// (P, C), as tensor2tensor and fairseq have it: the first half of the columns sin, the second cos of p 10000^(-i/(C/2 - 1)).
  static Init sinusoidal_halves() { return {Kind::kSinusoidalHalves}; }
  /// (P, D): the first half of the columns cos, the second sin of p base^(-2i/D). arXiv 2104.09864.
  static Init rotary(double base) { return {Kind::kRotary, base}; }
  /// (H): of head h = 1 .. H 2^(-8 h / H) where H is a power of two; else those of the power of two below, then every second one of twice
  /// that power. arXiv 2108.12409.
  static Init slopes() { return {Kind::kSlopes}; }
};

/// Blocks in the order of the forward pass: encoder embeddings, encoder layers, decoder embeddings, decoder layers, head. What has no
/// parameters of its own (a head tied to an embedding) is no block.
using BlockId = int;

/// The axes of the mesh over which a gradient is partial: dp; also tp, when replicated under sequence parallel.
enum class Axes { kDp, kDpAndTp };

struct Parameter {
  std::vector<Part> parts;
  Shape shape;  // of the storage: the boxes of its parts, one below the other
  Init init;
  bool trained = true;      // false: no gradient, `grad` stays undefined
  bool saved = true;        // false: a constant that is made again from `init` (sinusoidal positions)
  bool wide = false;        // a constant in the sum type
  bool decayed = false;     // weight matrices, never biases, norms and embeddings
  bool multiplied = false;  // W of a product y = x W^T
  bool shared = false;      // other blocks write its gradient too, so it lives from the first backward of a pass to the last
  Axes sum_over = Axes::kDp;
  BlockId block = 0;        // a shared embedding belongs to the block whose backward comes last
  std::int64_t offset = 0;  // first element in the flat storage
  Tensor value;             // compute dtype, if not wide; there from acquire to release
  Tensor packed;            // what layers/packed_weights.h made of the value, for x W^T; absent while values change
  Tensor grad;              // sum type; written through layers/gradient.h
  bool grad_begun = true;   // holds something of this update; false: whoever writes it first overwrites what is there
};

/// Elements begin .. end of the flat storage.
struct FlatRange {
  std::int64_t begin = 0;
  std::int64_t end = 0;
};

/// Owns the parameters, at fixed addresses, in the order of their registration. Once all are there, `lay_out` places them flat by block,
/// each at a multiple of kAlignment elements; constants come last, after everything that is saved, and are always there.
class ParameterSet {
 public:
  static constexpr std::int64_t kAlignment = 64;  // elements: 128 bytes in bfloat16

  /// `shards`: every block's length is a multiple of kAlignment x shards, so that it can be dealt to that many ranks in equal aligned
  /// chunks.
  explicit ParameterSet(std::uint64_t seed, int shards = 1) : seed_(seed), shards_(shards) {}
  ParameterSet(const ParameterSet&) = delete;
  ParameterSet& operator=(const ParameterSet&) = delete;

  Parameter& add(Parameter);  // fails when a part's name is taken already
  void lay_out();

  std::deque<Parameter>& parameters() { return parameters_; }
  const std::deque<Parameter>& parameters() const { return parameters_; }
  std::uint64_t seed() const { return seed_; }
  int num_blocks() const { return static_cast<int>(blocks_.size()); }
  /// Where block `id` lies (without its constants). Blocks are neighbours: one ends where the next begins.
  FlatRange block(BlockId id) const { return blocks_.at(static_cast<std::size_t>(id)); }
  std::int64_t elements() const { return saved_elements_; }        // saved ones with their padding: gradients, masters, moments
  std::int64_t total_elements() const { return total_elements_; }  // with the constants: values
  std::int64_t count() const;                                      // numbers a user would count: of the whole model, saved, without padding
  /// Makes every `value` a view into flat storage of total_elements().
  void bind_values(Tensor flat);
  /// Makes every `grad` of a trained one a view into the memory that the gradient of its range has.
  void bind_gradients(const std::function<Tensor(FlatRange)>& gradient_of);

 private:
  std::uint64_t seed_;
  int shards_;
  std::deque<Parameter> parameters_;
  std::vector<FlatRange> blocks_;
  std::int64_t saved_elements_ = 0;
  std::int64_t total_elements_ = 0;
};

/// The initial values of a parameter's storage, into `out` (its shape; float32 or float64; host memory).
void draw_initial_values(const Parameter&, std::uint64_t seed, Tensor out);

/// Where a layer registers: a name prefix and a block. A small value, passed by copy.
class ParameterScope {
 public:
  ParameterScope(ParameterSet& set, std::string prefix, BlockId block) : set_(&set), prefix_(std::move(prefix)), block_(block) {}

  ParameterScope child(std::string_view name) const;  // encoder + layers.0 -> encoder.layers.0
  std::string full_name(std::string_view name) const;
  /// The key of a random site here, for example "dropout".
  RandomKey site(std::string_view name) const { return random_key(set_->seed(), full_name(name)); }
  /// Registers one parameter that is one part: this rank's piece of a tensor of that shape.
  Parameter& add(std::string_view name, Shape, Init, bool decayed = false, const Cut& = {}) const;
  /// Registers one parameter of several parts, one below the other (q_proj.weight, k_proj.weight, v_proj.weight), of each this rank's
  /// piece.
  struct NamedRows {
    std::string name;
    std::int64_t rows;
  };
  /// `columns` 0: vectors.
  Parameter& add_fused(const std::vector<NamedRows>& parts, std::int64_t columns, Init, bool decayed, const Cut& = {}) const;
  /// Registers a constant: not trained, not saved.
  Parameter& add_constant(std::string_view name, Shape, Init) const;
  /// The same in the sum type, whatever the compute dtype; of its rows this rank's piece.
  Parameter& add_wide_constant(std::string_view name, Shape, Init, const Cut& = {}) const;

 private:
  ParameterSet* set_;
  std::string prefix_;
  BlockId block_;
};

}  // namespace weft
