#include "layers/parameter.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <utility>

#include <fmt/format.h>

#include "runtime/error.h"

namespace weft {
namespace {

std::int64_t aligned(std::int64_t elements, std::int64_t to = ParameterSet::kAlignment) {
  return (elements + to - 1) / to * to;
}

/// Elements of the compute dtype that it takes: a number of the sum type is at most two of them.
std::int64_t room(const Parameter& parameter) {
  return parameter.shape.elements() * (parameter.wide ? 2 : 1);
}

/// Columns of a matrix; a vector is a matrix of one column.
std::int64_t columns_of(const Shape& shape) {
  return shape.dims() > 1 ? shape[1] : 1;
}

double sinusoid(std::int64_t position, std::int64_t column, std::int64_t columns) {
  const double pair = static_cast<double>(column / 2);
  const double angle = static_cast<double>(position) * std::pow(10000.0, -2.0 * pair / static_cast<double>(columns));
  return column % 2 == 0 ? std::sin(angle) : std::cos(angle);
}

double sinusoid_of_halves(std::int64_t position, std::int64_t column, std::int64_t columns) {
  const std::int64_t half = columns / 2;
  const double rate = std::pow(10000.0, -static_cast<double>(column % half) / static_cast<double>(half - 1));
  return column < half ? std::sin(static_cast<double>(position) * rate) : std::cos(static_cast<double>(position) * rate);
}

double rotation(std::int64_t position, std::int64_t column, std::int64_t columns, double base) {
  const std::int64_t half = columns / 2, pair = column % half;
  const double angle = static_cast<double>(position) * std::pow(base, -2.0 * static_cast<double>(pair) / static_cast<double>(columns));
  return column < half ? std::cos(angle) : std::sin(angle);
}

/// Of head 0 .. heads - 1.
double slope(std::int64_t head, std::int64_t heads) {
  const auto power = static_cast<std::int64_t>(std::bit_floor(static_cast<std::uint64_t>(heads)));
  if (head < power) return std::pow(2.0, -8.0 * static_cast<double>(head + 1) / static_cast<double>(power));
  return std::pow(2.0, -8.0 * static_cast<double>(2 * (head - power) + 1) / static_cast<double>(2 * power));
}

/// Element (row, column) of the whole tensor, wherever a rank's box begins.
double initial_value(const Init& init, const Part& part, RandomKey key, std::int64_t row, std::int64_t column) {
  const std::int64_t columns = columns_of(part.shape);
  const auto index = static_cast<std::uint64_t>(row * columns + column);
  switch (init.kind) {
    case Init::Kind::kZeros:
      return 0;
    case Init::Kind::kOnes:
      return 1;
    case Init::Kind::kXavierUniform:
      return init.factor * std::sqrt(6.0 / static_cast<double>(part.shape[0] + columns)) * (2 * random_uniform(key, index) - 1);
    case Init::Kind::kNormal:
      return init.factor * random_normal(key, index);
    case Init::Kind::kSinusoidal:
      return sinusoid(row, column, columns);
    case Init::Kind::kSinusoidalHalves:
      return sinusoid_of_halves(row, column, columns);
    case Init::Kind::kRotary:
      return rotation(row, column, columns, init.factor);
    case Init::Kind::kSlopes:
      return slope(row, part.shape[0]);
  }
  fail(fmt::format("{}: no such kind of initial value", part.name));
}

template <class Real>
void draw(const Parameter& parameter, std::uint64_t seed, Tensor out) {
  Real* data = out.span<Real>().data();
  for (const Part& part : parameter.parts) {
    const RandomKey key = random_key(seed, part.name);
    const std::int64_t columns = columns_of(part.box.size);
    const std::int64_t first_column = part.box.begin.dims() > 1 ? part.box.begin[1] : 0;
    for (std::int64_t r = 0; r < part.box.size[0]; ++r) {
      for (std::int64_t c = 0; c < columns; ++c) {
        const double value = initial_value(parameter.init, part, key, part.box.begin[0] + r, first_column + c);
        data[(part.row + r) * columns + c] = static_cast<Real>(value);
      }
    }
  }
}

}  // namespace

Box box_of(const Shape& shape, const Cut& cut) {
  Box box{shape.dims() > 1 ? Shape{0, 0} : Shape{0}, shape};
  const std::int64_t all = shape[cut.dim], piece = aligned((all + cut.size - 1) / cut.size, cut.unit);
  box.begin[cut.dim] = std::min(all, cut.rank * piece);
  box.size[cut.dim] = std::min(all, (cut.rank + 1) * piece) - box.begin[cut.dim];
  return box;
}

Parameter& ParameterSet::add(Parameter parameter) {
  for (const Part& part : parameter.parts) {
    for (const Parameter& other : parameters_) {
      const auto same = [&](const Part& p) { return p.name == part.name; };
      if (std::any_of(other.parts.begin(), other.parts.end(), same)) fail(fmt::format("parameter {} is registered twice", part.name));
    }
  }
  if (parameter.block < 0) fail(fmt::format("parameter {}: block {}", parameter.parts.at(0).name, parameter.block));
  return parameters_.emplace_back(std::move(parameter));
}

void ParameterSet::lay_out() {
  int blocks = 0;
  for (const Parameter& parameter : parameters_) {
    if (parameter.saved) blocks = std::max(blocks, parameter.block + 1);
  }
  blocks_.clear();
  std::int64_t offset = 0;
  for (int block = 0; block < blocks; ++block) {
    const std::int64_t begin = offset;
    for (Parameter& parameter : parameters_) {
      if (!parameter.saved || parameter.block != block) continue;
      parameter.offset = offset;
      offset += aligned(parameter.shape.elements());
    }
    offset = aligned(offset, kAlignment * shards_);
    blocks_.push_back({begin, offset});
  }
  saved_elements_ = offset;
  for (Parameter& parameter : parameters_) {
    if (parameter.saved) continue;
    parameter.offset = offset;
    offset += aligned(room(parameter));
  }
  total_elements_ = offset;
}

std::int64_t ParameterSet::count() const {
  std::int64_t count = 0;
  for (const Parameter& parameter : parameters_) {
    if (!parameter.saved) continue;
    for (const Part& part : parameter.parts) count += part.shape.elements();
  }
  return count;
}

void ParameterSet::bind_values(Tensor flat) {
  if (flat.elements() != total_elements_) fail(fmt::format("values: {} elements, expected {}", flat.elements(), total_elements_));
  for (Parameter& parameter : parameters_) {
    if (parameter.wide) {
      parameter.value = Tensor(flat.rows(parameter.offset, room(parameter)).data, parameter.shape, sum_type(flat.dtype));
    } else {
      parameter.value = flat.rows(parameter.offset, parameter.shape.elements()).view(parameter.shape);
    }
  }
}

void ParameterSet::bind_gradients(const std::function<Tensor(FlatRange)>& gradient_of) {
  for (Parameter& parameter : parameters_) {
    if (!parameter.trained) continue;
    parameter.grad = gradient_of({parameter.offset, parameter.offset + parameter.shape.elements()}).view(parameter.shape);
  }
}

void draw_initial_values(const Parameter& parameter, std::uint64_t seed, Tensor out) {
  if (!(out.shape == parameter.shape)) {
    fail(fmt::format("{}: initial values of shape {}, expected {}", parameter.parts.at(0).name, to_string(out.shape),
                     to_string(parameter.shape)));
  }
  if (out.dtype == DType::kFloat64) {
    draw<double>(parameter, seed, out);
  } else {
    draw<float>(parameter, seed, out);
  }
}

ParameterScope ParameterScope::child(std::string_view name) const {
  return ParameterScope(*set_, full_name(name), block_);
}

std::string ParameterScope::full_name(std::string_view name) const {
  return prefix_.empty() ? std::string(name) : fmt::format("{}.{}", prefix_, name);
}

Parameter& ParameterScope::add(std::string_view name, Shape shape, Init init, bool decayed, const Cut& cut) const {
  const Part part{.name = full_name(name), .shape = shape, .box = box_of(shape, cut), .row = 0};
  return set_->add({.parts = {part}, .shape = part.box.size, .init = init, .decayed = decayed, .block = block_});
}

Parameter& ParameterScope::add_fused(const std::vector<NamedRows>& parts, std::int64_t columns, Init init, bool decayed,
                                     const Cut& cut) const {
  Parameter parameter{.init = init, .decayed = decayed, .block = block_};
  std::int64_t rows = 0;
  for (const NamedRows& named : parts) {
    const Shape shape = columns > 0 ? Shape{named.rows, columns} : Shape{named.rows};
    parameter.parts.push_back({.name = full_name(named.name), .shape = shape, .box = box_of(shape, cut), .row = rows});
    parameter.shape = parameter.parts.back().box.size;
    rows += parameter.shape[0];
  }
  parameter.shape[0] = rows;
  return set_->add(std::move(parameter));
}

Parameter& ParameterScope::add_wide_constant(std::string_view name, Shape shape, Init init, const Cut& cut) const {
  Parameter& parameter = add(name, shape, init, false, cut);
  parameter.trained = parameter.saved = false;
  parameter.wide = true;
  return parameter;
}

Parameter& ParameterScope::add_constant(std::string_view name, Shape shape, Init init) const {
  Parameter& parameter = add(name, shape, init);
  parameter.trained = parameter.saved = false;
  return parameter;
}

}  // namespace weft
