#include "tests/state/thread_control.h"

#include <algorithm>
#include <chrono>
#include <condition_variable>
#include <exception>
#include <mutex>
#include <thread>

#include "runtime/error.h"

namespace weft::test {
namespace {

/// Every call of every rank puts in some bytes and takes out everyone's.
class Table {
 public:
  explicit Table(std::size_t ranks) : put_(ranks) {}

  std::vector<std::string> exchange(std::size_t rank, std::string bytes) {
    std::unique_lock lock(mutex_);
    put_[rank] = std::move(bytes);
    const std::int64_t round = round_;
    if (++arrived_ == put_.size()) {
      taken_ = put_;
      arrived_ = 0;
      ++round_;
      changed_.notify_all();
    } else if (!changed_.wait_for(lock, std::chrono::seconds(60), [&] { return round_ > round; })) {
      fail("a rank did not come: the ranks do not call the same verbs");
    }
    return taken_;  // the next round cannot end before this rank has come again
  }

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  std::vector<std::string> put_, taken_;
  std::size_t arrived_ = 0;
  std::int64_t round_ = 0;
};

class ThreadControl : public Control {
 public:
  ThreadControl(Table& table, int rank, int size) : table_(table), rank_(rank), size_(size) {}
  int rank() const override { return rank_; }
  int size() const override { return size_; }
  std::string broadcast(std::string bytes, int root) override { return exchange(std::move(bytes))[static_cast<std::size_t>(root)]; }
  std::vector<std::string> gather(std::string bytes, int root) override {
    std::vector<std::string> all = exchange(std::move(bytes));
    return rank_ == root ? all : std::vector<std::string>{};
  }
  std::vector<std::int64_t> agree(std::vector<std::int64_t> votes) override {
    std::string bytes;
    for (const std::int64_t vote : votes) bytes += std::to_string(vote) + " ";
    for (const std::string& other : exchange(bytes)) {
      std::size_t place = 0;
      for (std::int64_t& vote : votes) {
        const std::size_t end = other.find(' ', place);
        vote = std::max<std::int64_t>(vote, std::stoll(other.substr(place, end - place)));
        place = end + 1;
      }
    }
    return votes;
  }

 private:
  std::vector<std::string> exchange(std::string bytes) {
    if (std::this_thread::get_id() != owner_) fail("a thread that is not the rank's main thread talks to other ranks");
    return table_.exchange(static_cast<std::size_t>(rank_), std::move(bytes));
  }
  Table& table_;
  int rank_, size_;
  std::thread::id owner_ = std::this_thread::get_id();
};

}  // namespace

void run_ranks(int ranks, const std::function<void(Control&)>& body) {
  Table table(static_cast<std::size_t>(ranks));
  std::vector<std::exception_ptr> failures(static_cast<std::size_t>(ranks));
  std::vector<std::thread> threads;
  for (int rank = 0; rank < ranks; ++rank) {
    threads.emplace_back([&, rank] {
      try {
        ThreadControl control(table, rank, ranks);
        body(control);
      } catch (...) {  // handed on, by the thread that joins
        failures[static_cast<std::size_t>(rank)] = std::current_exception();
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  for (const std::exception_ptr& failure : failures) {
    if (failure) std::rethrow_exception(failure);
  }
}

}  // namespace weft::test
