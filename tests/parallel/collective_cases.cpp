#include "tests/parallel/collective_cases.h"

#include <algorithm>
#include <cstring>
#include <set>

#include <fmt/format.h>
#include <gtest/gtest.h>

#include "runtime/random.h"

namespace weft::test {
namespace {

/// Element i of what rank `rank` brings, the same wherever it is asked for. Fractions of many sizes, so that another order of summation
/// gives other bits.
double number(int rank, std::int64_t i) {
  const double x = random_uniform({7, static_cast<std::uint32_t>(rank)}, static_cast<std::uint64_t>(i)) - 0.5;
  return i % 3 == 0 ? x * 1000 : x;
}

template <class T>
T value(int rank, std::int64_t i) {
  if constexpr (std::is_same_v<T, bfloat16>) {
    return bfloat16(static_cast<float>(number(rank, i)));
  } else {
    return static_cast<T>(number(rank, i));
  }
}

/// The sum over all ranks in rank order, inside each host and then over the hosts, in the sum type, rounded once.
template <class T>
T sum_of_ranks(int ranks, int ranks_per_host, std::int64_t i) {
  SumType<T> all{}, host{};
  for (int rank = 0; rank < ranks; ++rank) {
    const auto x = static_cast<SumType<T>>(value<T>(rank, i));
    host = rank % ranks_per_host == 0 ? x : host + x;
    if (rank + 1 == ranks || (rank + 1) % ranks_per_host == 0) all = rank < ranks_per_host ? host : all + host;
  }
  return static_cast<T>(all);
}

template <class T>
class Case {
 public:
  Case(Communicator& group, Device& device, const CollectiveCase& what)
      : group_(group), device_(device), stream_(device.stream(StreamKind::kCommunication)), what_(what) {}

  void run() {
    const std::int64_t n = what_.count, ranks = group_.size(), mine = group_.rank() * n;
    const Tensor whole = tensor(n * ranks), chunk = tensor(n);

    fill(whole, 0);
    group_.all_reduce(stream_, whole);
    expect(whole, "all_reduce", [&](std::int64_t i) { return sum(i); });

    fill(whole, 0);
    clear(chunk);
    group_.reduce_scatter(stream_, whole, chunk);
    expect(chunk, "reduce_scatter", [&](std::int64_t i) { return sum(mine + i); });
    expect(whole, "what reduce_scatter read", [&](std::int64_t i) { return value<T>(group_.rank(), i); });
    group_.reduce_scatter(stream_, whole, whole.rows(mine, n));
    expect(whole.rows(mine, n), "reduce_scatter in place", [&](std::int64_t i) { return sum(mine + i); });

    fill(chunk, mine);
    clear(whole);
    group_.all_gather(stream_, chunk, whole);
    expect(whole, "all_gather", [&](std::int64_t i) { return value<T>(static_cast<int>(i / n), i); });
    clear(whole);
    fill(whole.rows(mine, n), mine);
    group_.all_gather(stream_, whole.rows(mine, n), whole);
    expect(whole, "all_gather in place", [&](std::int64_t i) { return value<T>(static_cast<int>(i / n), i); });

    for (const int root : std::set<int>{0, group_.size() / 2, group_.size() - 1}) {
      fill(whole, root);
      group_.broadcast(stream_, whole, root);
      expect(whole, "broadcast", [&](std::int64_t i) { return value<T>(root, root + i); });
    }
    group_.barrier(stream_);
  }

 private:
  T sum(std::int64_t i) const { return sum_of_ranks<T>(group_.size(), what_.ranks_per_host, i); }
  Tensor tensor(std::int64_t count) {
    const std::int64_t bytes = count * size_of(dtype_of<T>);
    memory_.push_back(what_.place == Place::kAllocated ? group_.allocate(device_, bytes) : device_.allocate(bytes, MemoryKind::kDevice));
    EXPECT_EQ(reinterpret_cast<std::uintptr_t>(memory_.back().data()) % 64, 0u) << describe(what_);
    return memory_.back().tensor({count}, dtype_of<T>);
  }
  /// This rank's elements `first`, `first` + 1 ...
  void fill(Tensor x, std::int64_t first) {
    for (std::int64_t i = 0; i < x.elements(); ++i) x.as<T>()[i] = value<T>(group_.rank(), first + i);
  }
  void clear(Tensor x) {
    if (x.bytes() > 0) std::memset(x.data, 0xff, static_cast<std::size_t>(x.bytes()));
  }
  template <class Expected>
  void expect(Tensor x, const char* verb, Expected expected) {
    for (std::int64_t i = 0; i < x.elements(); ++i) {
      const T right = expected(i);
      if (std::memcmp(&x.as<T>()[i], &right, sizeof(T)) == 0) continue;
      ADD_FAILURE() << verb << ", " << describe(what_) << ", rank " << group_.rank() << " of " << group_.size() << ": element " << i
                    << " is " << static_cast<double>(static_cast<SumType<T>>(x.as<T>()[i])) << ", expected "
                    << static_cast<double>(static_cast<SumType<T>>(right));
      return;
    }
  }

  Communicator& group_;
  Device& device_;
  Stream& stream_;
  CollectiveCase what_;
  std::vector<Memory> memory_;
};

}  // namespace

std::string describe(const CollectiveCase& what) {
  return fmt::format("{} elements of {}, {}", what.count, name(what.dtype), what.place == Place::kAllocated ? "allocated" : "anywhere");
}

std::vector<CollectiveCase> all_cases() {
  std::vector<CollectiveCase> cases;
  for (const Place place : {Place::kAllocated, Place::kAnywhere}) {
    for (const DType dtype : {DType::kFloat32, DType::kBFloat16, DType::kFloat64}) {
      for (const std::int64_t count : {0, 1, 37, 4099}) cases.push_back({count, dtype, place});
    }
    cases.push_back({100'003, DType::kFloat64, place});
  }
  return cases;
}

void check_collectives(Communicator& group, Device& device, const CollectiveCase& what) {
  switch (what.dtype) {
    case DType::kFloat32:
      return Case<float>(group, device, what).run();
    case DType::kBFloat16:
      return Case<bfloat16>(group, device, what).run();
    case DType::kFloat64:
      return Case<double>(group, device, what).run();
    case DType::kInt32:
    case DType::kInt64:
    case DType::kUInt8:
      break;
  }
  FAIL() << "no sums of " << name(what.dtype);
}

void check_reuse(Communicator& group, Device& device, int rounds) {
  constexpr std::int64_t kChunk = 5000;  // long enough to be caught reading
  const int ranks = group.size();
  const Memory whole_memory = group.allocate(device, kChunk * ranks * 4), chunk_memory = group.allocate(device, kChunk * 4);
  const std::span<float> whole = whole_memory.tensor({kChunk * ranks}, DType::kFloat32).span<float>();
  const std::span<float> chunk = chunk_memory.tensor({kChunk}, DType::kFloat32).span<float>();
  const Tensor x = whole_memory.tensor({kChunk * ranks}, DType::kFloat32), y = chunk_memory.tensor({kChunk}, DType::kFloat32);
  Stream& stream = device.stream(StreamKind::kCommunication);
  const auto require_all = [](std::span<const float> values, float expected, const char* verb) {
    const auto wrong = std::count_if(values.begin(), values.end(), [&](float value) { return value != expected; });
    EXPECT_EQ(wrong, 0) << verb << ", expected " << expected;
  };
  for (int round = 0; round < rounds; ++round) {
    const auto bring = static_cast<float>(round * ranks), sum = static_cast<float>(ranks) * bring;
    std::fill(whole.begin(), whole.end(), bring);
    group.reduce_scatter(stream, x, y);
    std::fill(whole.begin(), whole.end(), -1);
    require_all(chunk, sum, "reduce_scatter");
    std::fill(chunk.begin(), chunk.end(), bring);
    group.all_gather(stream, y, x);
    std::fill(chunk.begin(), chunk.end(), -1);
    require_all(whole, bring, "all_gather");
    group.all_reduce(stream, x);
    require_all(whole, sum, "all_reduce");
    const int root = round % ranks;
    std::fill(chunk.begin(), chunk.end(), group.rank() == root ? bring : -1);
    group.broadcast(stream, y, root);
    const std::vector<float> received(chunk.begin(), chunk.end());
    std::fill(chunk.begin(), chunk.end(), -1);
    require_all(received, bring, "broadcast");
  }
}

}  // namespace weft::test
