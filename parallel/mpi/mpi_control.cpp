#include <algorithm>
#include <array>
#include <limits>
#include <thread>
#include <utility>

#include <fmt/format.h>

#include "parallel/mpi/mpi_communicator.h"
#include "runtime/error.h"

namespace weft {
namespace {

std::byte* bytes_of(std::string& text) {
  return reinterpret_cast<std::byte*>(text.data());
}

class MpiControl : public Control {
 public:
  MpiControl(MpiGroup group, std::shared_ptr<FlightRecord> record)
      : group_(std::move(group)), record_(std::move(record)), recorded_group_(record_->add_group("control")) {}
  int rank() const override { return group_.rank(); }
  int size() const override { return group_.size(); }

  std::string broadcast(std::string bytes, int root) override {
    require_main_thread();
    auto length = static_cast<std::int64_t>(bytes.size());
    const RecordedCall call(*record_, recorded_group_, next(Operation::kBroadcast, length, root));
    group_.broadcast(reinterpret_cast<std::byte*>(&length), sizeof(length), root);
    bytes.resize(static_cast<std::size_t>(length));
    group_.broadcast(bytes_of(bytes), length, root);
    return bytes;
  }

  std::vector<std::string> gather(std::string bytes, int root) override {
    require_main_thread();
    const auto length = static_cast<std::int64_t>(bytes.size());
    const RecordedCall call(*record_, recorded_group_, next(Operation::kGather, length, root));
    std::vector<std::int64_t> lengths(static_cast<std::size_t>(size()));
    group_.all_gather(reinterpret_cast<const std::byte*>(&length), reinterpret_cast<std::byte*>(lengths.data()), sizeof(length));
    if (rank() != root) {
      group_.send(bytes_of(bytes), length, root);
      return {};
    }
    std::vector<std::string> all;
    for (int from = 0; from < size(); ++from) {
      std::string& text = all.emplace_back(static_cast<std::size_t>(lengths[static_cast<std::size_t>(from)]), '\0');
      if (from != root) group_.receive(bytes_of(text), static_cast<std::int64_t>(text.size()), from);
    }
    all[static_cast<std::size_t>(root)] = std::move(bytes);
    return all;
  }

  std::vector<std::int64_t> agree(std::vector<std::int64_t> votes) override {
    require_main_thread();
    const RecordedCall call(*record_, recorded_group_,
                            next(Operation::kAgree, static_cast<std::int64_t>(votes.size() * sizeof(votes[0])), 0));
    // A message of one size, whatever the number of votes, so that ranks with different numbers learn of it; one message for a step's
    // votes.
    std::array<std::int64_t, 16> message{};
    const auto count = static_cast<std::int64_t>(votes.size());
    message[0] = count, message[1] = -count;
    const std::size_t first = std::min(votes.size(), message.size() - 2);
    std::copy_n(votes.begin(), first, message.begin() + 2);
    group_.maximum(message);
    if (message[0] != -message[1])
      fail(fmt::format("agree: rank {} brings {} votes, others {} to {}", rank(), count, -message[1], message[0]));
    std::copy_n(message.begin() + 2, first, votes.begin());
    if (first < votes.size()) group_.maximum(std::span(votes).subspan(first));
    return votes;
  }

 private:
  /// The bytes are this rank's own.
  Signature next(Operation operation, std::int64_t bytes, int root) {
    return {.operation = operation, .bytes = bytes, .root = root, .sequence = ++sequence_};
  }

  void require_main_thread() const {
    if (std::this_thread::get_id() != owner_) fail("a thread that is not the rank's main thread talks to other ranks");
  }

  MpiGroup group_;
  std::shared_ptr<FlightRecord> record_;
  int recorded_group_;
  std::int64_t sequence_ = 0;
  std::thread::id owner_ = std::this_thread::get_id();
};

}  // namespace

std::unique_ptr<Control> make_mpi_control(MpiGroup group, std::shared_ptr<FlightRecord> record) {
  return std::make_unique<MpiControl>(std::move(group), std::move(record));
}

}  // namespace weft
