#include "parallel/threads/thread_control.h"

#include <algorithm>
#include <cstring>
#include <thread>
#include <utility>

#include <fmt/format.h>

#include "runtime/error.h"

namespace weft {

std::vector<std::string> ThreadTable::exchange(int rank, std::string bytes) {
  bytes_[static_cast<std::size_t>(rank)] = std::move(bytes);
  barrier_.wait(ranks(), &failed_);
  std::vector<std::string> all = bytes_;
  barrier_.wait(ranks(), &failed_);
  return all;
}

namespace {

class ThreadControl : public Control {
 public:
  ThreadControl(ThreadTable& table, int rank) : table_(table), rank_(rank) {}
  int rank() const override { return rank_; }
  int size() const override { return table_.ranks(); }
  std::string broadcast(std::string bytes, int root) override { return exchange(std::move(bytes)).at(static_cast<std::size_t>(root)); }
  std::vector<std::string> gather(std::string bytes, int root) override {
    std::vector<std::string> all = exchange(std::move(bytes));
    return rank_ == root ? all : std::vector<std::string>{};
  }
  std::vector<std::int64_t> agree(std::vector<std::int64_t> votes) override {
    const std::size_t bytes = votes.size() * sizeof(std::int64_t);
    for (const std::string& other : exchange(std::string(reinterpret_cast<const char*>(votes.data()), bytes))) {
      if (other.size() != bytes) fail(fmt::format("agree: rank {} brings {} bytes of votes, another {}", rank_, bytes, other.size()));
      for (std::size_t i = 0; i < votes.size(); ++i) {
        std::int64_t vote = 0;
        std::memcpy(&vote, other.data() + i * sizeof(vote), sizeof(vote));
        votes[i] = std::max(votes[i], vote);
      }
    }
    return votes;
  }

 private:
  std::vector<std::string> exchange(std::string bytes) {
    if (std::this_thread::get_id() != owner_) fail("a thread that is not the rank's main thread talks to other ranks");
    return table_.exchange(rank_, std::move(bytes));
  }

  ThreadTable& table_;
  int rank_;
  std::thread::id owner_ = std::this_thread::get_id();
};

}  // namespace

std::unique_ptr<Control> make_thread_control(ThreadTable& table, int rank) {
  return std::make_unique<ThreadControl>(table, rank);
}

}  // namespace weft
