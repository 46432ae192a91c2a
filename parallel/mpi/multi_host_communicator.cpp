#include <algorithm>
#include <utility>

#include "parallel/collective_shapes.h"
#include "parallel/mpi/checked_call.h"
#include "parallel/mpi/mpi_communicator.h"

namespace weft {
namespace {

constexpr std::int64_t kPieceElements = 1 << 18;  // of buffers that hold a piece of every rank's data

/// Where the ranks of a group are.
struct Layout {
  std::vector<int> host;   // by rank: number of its host, in the order of the hosts' first ranks
  std::vector<int> place;  // by rank: its rank among those of its host
  std::vector<int> ranks;  // by host
  std::int64_t widest() const { return *std::max_element(ranks.begin(), ranks.end()); }
  /// Blocks of one size for every host, with a place for each of its ranks; some stay empty where hosts are unequal.
  std::int64_t places() const { return static_cast<std::int64_t>(ranks.size()) * widest(); }
  std::int64_t place_of(int rank) const {
    const auto r = static_cast<std::size_t>(rank);
    return host[r] * widest() + place[r];
  }
};

Layout layout_of(const MpiGroup& group, std::int64_t my_host) {
  std::vector<std::int64_t> hosts(static_cast<std::size_t>(group.size())), seen;
  group.all_gather(reinterpret_cast<const std::byte*>(&my_host), reinterpret_cast<std::byte*>(hosts.data()), sizeof(my_host));
  Layout layout;
  for (const std::int64_t host : hosts) {
    const auto number = static_cast<std::size_t>(std::find(seen.begin(), seen.end(), host) - seen.begin());
    if (number == seen.size()) seen.push_back(host), layout.ranks.push_back(0);
    layout.host.push_back(static_cast<int>(number));
    layout.place.push_back(layout.ranks[number]++);
  }
  return layout;
}

/// Copies `from`, of this dtype, into a tensor of the type that it is summed in: bfloat16 becomes float32.
void widen(Tensor to, const std::byte* from, DType dtype) {
  if (dtype != DType::kBFloat16) return copy_bytes(to.data, from, to.bytes());
  for (std::int64_t i = 0; i < to.elements(); ++i) to.as<float>()[i] = static_cast<float>(reinterpret_cast<const bfloat16*>(from)[i]);
}

/// Copies back what widen() copied, float32 rounded to bfloat16.
void round(std::byte* to, Tensor from, DType dtype) {
  if (dtype != DType::kBFloat16) return copy_bytes(to, from.data, from.bytes());
  for (std::int64_t i = 0; i < from.elements(); ++i) reinterpret_cast<bfloat16*>(to)[i] = bfloat16(from.as<float>()[i]);
}

/// For the communicators inside this one: their calls are parts of one that the flight record has already.
std::shared_ptr<MpiRank> unrecorded(const MpiRank& rank) {
  return std::make_shared<MpiRank>(MpiRank{std::make_shared<FlightRecord>(), rank.options, rank.host});
}

class MultiHostCommunicator : public Communicator {
 public:
  MultiHostCommunicator(MpiGroup group, std::string name, std::shared_ptr<MpiRank> rank)
      : group_(std::move(group)),
        rank_(std::move(rank)),
        check_(group_, std::move(name), rank_->record),
        layout_(layout_of(group_, rank_->host)) {
    const std::shared_ptr<MpiRank> inner = unrecorded(*rank_);
    MpiGroup host = group_.split(my_host());
    if (host.size() > 1) host_ = make_shared_memory_communicator(host, check_.name(), inner);
    rank_->options.say = inner->options.say;
    if (!host_) host_ = make_message_communicator(host, check_.name(), inner);
    leader_ = host.rank() == 0;
    MpiGroup leaders = group_.split(leader_ ? 0 : 1);
    if (leader_) leaders_ = make_message_communicator(std::move(leaders), check_.name(), inner);
  }

  int rank() const override { return group_.rank(); }
  int size() const override { return group_.size(); }
  Memory allocate(Device& device, std::int64_t bytes) override { return host_->allocate(device, bytes); }

  void all_reduce(Stream& stream, Tensor x) override {
    require_contiguous("all_reduce", x);
    const CheckedCall call(check_, {.operation = Operation::kAllReduce, .dtype = x.dtype, .bytes = x.bytes()});
    if (x.dtype != DType::kBFloat16) return sum(stream, x);
    const std::int64_t element = size_of(x.dtype);
    for (std::int64_t begin = 0; begin < x.elements(); begin += kPieceElements) {
      const std::int64_t count = std::min(kPieceElements, x.elements() - begin);
      const Tensor piece = buffer(0, count, DType::kFloat32);
      widen(piece, x.data + begin * element, x.dtype);
      sum(stream, piece);
      round(x.data + begin * element, piece, x.dtype);
    }
  }

  /// Each host sums all chunks of its ranks; between hosts each sends the others the chunks of their ranks, in blocks of one size.
  void reduce_scatter(Stream& stream, Tensor x, Tensor y) override {
    require_chunks("reduce_scatter", x, y, size());
    const CheckedCall call(check_, {.operation = Operation::kReduceScatter, .dtype = x.dtype, .bytes = x.bytes()});
    const DType summed = x.dtype == DType::kBFloat16 ? DType::kFloat32 : x.dtype;
    const std::int64_t element = size_of(x.dtype), places = layout_.places(), piece = std::max<std::int64_t>(kPieceElements / places, 1);
    for (std::int64_t begin = 0; begin < y.elements(); begin += piece) {
      const std::int64_t count = std::min(piece, y.elements() - begin);
      const Tensor of_all = buffer(0, count * places, summed), of_host = buffer(1, count * layout_.widest(), summed);
      for (int k = 0; k < size(); ++k) {
        widen(of_all.rows(layout_.place_of(k) * count, count), x.data + k * y.bytes() + begin * element, x.dtype);
      }
      host_->all_reduce(stream, of_all);
      if (leader_) leaders_->reduce_scatter(stream, of_all, of_host);
      host_->broadcast(stream, of_host, 0);
      round(y.data + begin * element, of_host.rows(layout_.place[static_cast<std::size_t>(rank())] * count, count), y.dtype);
    }
  }

  void all_gather(Stream& stream, Tensor x, Tensor y) override {
    require_chunks("all_gather", y, x, size());
    const CheckedCall call(check_, {.operation = Operation::kAllGather, .dtype = x.dtype, .bytes = y.bytes()});
    const std::int64_t mine = layout_.ranks[static_cast<std::size_t>(my_host())];
    for (std::int64_t begin = 0; begin < x.bytes(); begin += kPieceElements) {
      const std::int64_t count = std::min(kPieceElements, x.bytes() - begin);
      const Tensor piece(x.data + begin, {count}, DType::kUInt8), of_host = buffer(0, layout_.widest() * count, DType::kUInt8),
                                                                  all = buffer(1, layout_.places() * count, DType::kUInt8);
      host_->all_gather(stream, piece, of_host.rows(0, mine * count));
      if (leader_) leaders_->all_gather(stream, of_host, all);
      host_->broadcast(stream, all, 0);
      for (int k = 0; k < size(); ++k) {
        copy_bytes(y.data + k * x.bytes() + begin, all.data + layout_.place_of(k) * count, count);
      }
    }
  }

  void broadcast(Stream& stream, Tensor x, int root) override {
    require_contiguous("broadcast", x);
    require_root("broadcast", root, size());
    const CheckedCall call(check_, {.operation = Operation::kBroadcast, .dtype = x.dtype, .bytes = x.bytes(), .root = root});
    const int host = layout_.host[static_cast<std::size_t>(root)];
    if (my_host() == host) host_->broadcast(stream, x, layout_.place[static_cast<std::size_t>(root)]);
    if (leader_) leaders_->broadcast(stream, x, host);
    if (my_host() != host) host_->broadcast(stream, x, 0);
  }

  void barrier(Stream&) override { const CheckedCall call(check_, {.operation = Operation::kBarrier}); }

 private:
  int my_host() const { return layout_.host[static_cast<std::size_t>(rank())]; }

  void sum(Stream& stream, Tensor x) {
    host_->all_reduce(stream, x);
    if (leader_) leaders_->all_reduce(stream, x);
    host_->broadcast(stream, x, 0);
  }

  /// Grows to the largest that is asked for, in the first calls.
  Tensor buffer(std::size_t number, std::int64_t elements, DType dtype) {
    std::vector<std::byte>& bytes = buffers_[number];
    bytes.resize(std::max(bytes.size(), static_cast<std::size_t>(elements * size_of(dtype))));
    return {bytes.data(), {elements}, dtype};
  }

  MpiGroup group_;
  std::shared_ptr<MpiRank> rank_;
  SignatureCheck check_;
  Layout layout_;
  bool leader_ = false;
  std::unique_ptr<Communicator> host_, leaders_;  // leaders_: on the first rank of each host
  std::vector<std::byte> buffers_[2];
};

}  // namespace

std::unique_ptr<Communicator> make_multi_host_communicator(MpiGroup group, std::string name, const std::shared_ptr<MpiRank>& rank) {
  return std::make_unique<MultiHostCommunicator>(std::move(group), std::move(name), rank);
}

}  // namespace weft
