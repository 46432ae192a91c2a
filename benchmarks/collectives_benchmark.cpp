// Collectives inside one host beside those of MPI, in one alternating run: fp32, 1, 10 and 100 MB.
//   OMP_NUM_THREADS=1 mpirun -n 2 --bind-to none collectives_benchmark
// Each call works on numbers that its rank has just written. A time is that of the slowest rank; each line gives medians over the rounds.
// GB/s = bytes of the whole buffer / time. own: in memory of Communicator::allocate; staged: anywhere else; MPI: its own call, in place
// where it has that.
#include <algorithm>
#include <cstring>
#include <functional>
#include <string>
#include <vector>

#include <fmt/format.h>
#include <mpi.h>

#include "parallel/mpi/mpi_mesh.h"
#include "runtime/cpu_device.h"
#include "runtime/kernels/table.h"
#include "runtime/random.h"

namespace weft {
namespace {

struct Way {
  std::string name;
  std::function<void()> call;
  std::vector<double> seconds = {};
};

double slowest(double seconds) {
  MPI_Allreduce(MPI_IN_PLACE, &seconds, 1, MPI_DOUBLE, MPI_MAX, MPI_COMM_WORLD);
  return seconds;
}

double median(std::vector<double> values) {
  std::nth_element(values.begin(), values.begin() + static_cast<std::ptrdiff_t>(values.size() / 2), values.end());
  return values[values.size() / 2];
}

class Bench {
 public:
  explicit Bench(Mesh& mesh) : group_(*mesh.dp), device_(reference_kernels()), stream_(device_.stream(StreamKind::kCommunication)) {}

  void run(std::int64_t megabytes) {
    const std::int64_t chunk = megabytes * 1'000'000 / 4 / group_.size() / 16 * 16, n = chunk * group_.size();
    const Memory shared = group_.allocate(device_, n * 4), alone = device_.allocate(n * 4, MemoryKind::kDevice);
    const Memory alone_chunk = device_.allocate(chunk * 4, MemoryKind::kDevice);
    const Tensor x = shared.tensor({n}, DType::kFloat32), a = alone.tensor({n}, DType::kFloat32);
    const Tensor b = alone_chunk.tensor({chunk}, DType::kFloat32);
    random_ = random_numbers(n);
    const auto count = static_cast<int>(n), part = static_cast<int>(chunk);
    const std::vector<int> counts(static_cast<std::size_t>(group_.size()), part);
    const Tensor mine = x.rows(group_.rank() * chunk, chunk);

    measure("all_reduce", {x, a},
            {{"own", [&] { group_.all_reduce(stream_, x); }},
             {"staged", [&] { group_.all_reduce(stream_, a); }},
             {"MPI_Allreduce", [&] { MPI_Allreduce(MPI_IN_PLACE, a.data, count, MPI_FLOAT, MPI_SUM, MPI_COMM_WORLD); }},
             {"MPI_Allreduce <= 25 MB", [&] { all_reduce_in_pieces(a); }}});
    measure("reduce_scatter", {x, a},
            {{"own", [&] { group_.reduce_scatter(stream_, x, mine); }},
             {"staged", [&] { group_.reduce_scatter(stream_, a, b); }},
             {"MPI_Reduce_scatter", [&] { MPI_Reduce_scatter(a.data, b.data, counts.data(), MPI_FLOAT, MPI_SUM, MPI_COMM_WORLD); }}});
    measure("all_gather", {x, a, b},
            {{"own", [&] { group_.all_gather(stream_, mine, x); }},
             {"staged", [&] { group_.all_gather(stream_, b, a); }},
             {"MPI_Allgather", [&] { MPI_Allgather(MPI_IN_PLACE, part, MPI_FLOAT, a.data, part, MPI_FLOAT, MPI_COMM_WORLD); }}});
  }

 private:
  static std::vector<float> random_numbers(std::int64_t count) {
    std::vector<float> numbers;
    for (std::int64_t i = 0; i < count; ++i)
      numbers.push_back(static_cast<float>(random_uniform({1, 2}, static_cast<std::uint64_t>(i)) - 0.5));
    return numbers;
  }
  void fill(Tensor x) const { std::memcpy(x.data, random_.data(), static_cast<std::size_t>(x.bytes())); }
  void all_reduce_in_pieces(Tensor x) {
    constexpr std::int64_t kPiece = 25'000'000 / 4;
    for (std::int64_t at = 0; at < x.elements(); at += kPiece) {
      const auto count = static_cast<int>(std::min(kPiece, x.elements() - at));
      MPI_Allreduce(MPI_IN_PLACE, x.as<float>() + at, count, MPI_FLOAT, MPI_SUM, MPI_COMM_WORLD);
    }
  }

  void measure(const char* verb, const std::vector<Tensor>& written, std::vector<Way> ways) {
    const std::int64_t bytes = written[0].bytes();
    const int rounds = bytes > 50'000'000 ? 21 : 101;
    for (int round = -3; round < rounds; ++round) {  // the first three warm up
      for (Way& way : ways) {
        for (const Tensor& tensor : written) fill(tensor);
        MPI_Barrier(MPI_COMM_WORLD);
        const double start = MPI_Wtime();
        way.call();
        const double seconds = slowest(MPI_Wtime() - start);
        if (round >= 0) way.seconds.push_back(seconds);
      }
    }
    if (group_.rank() != 0) return;
    for (const Way& way : ways) {
      const double seconds = median(way.seconds);
      fmt::print("| {} | {} | {} MB | {} | {:.3f} | {:.1f} | {:.1f} |\n", group_.size(), verb, (bytes + 500'000) / 1'000'000, way.name,
                 seconds * 1e3, static_cast<double>(bytes) / seconds / 1e9, seconds / median(ways[0].seconds));
    }
  }

  Communicator& group_;
  CpuDevice device_;
  Stream& stream_;
  std::vector<float> random_;
};

}  // namespace
}  // namespace weft

int main() {
  const weft::MpiSession session(true);
  weft::Mesh mesh = weft::make_mesh(session, {}, std::make_shared<weft::FlightRecord>(),
                                    {.say = [](const std::string& text) { fmt::print("{}\n", text); }});
  if (mesh.world->size() < 2) {
    fmt::print("run it under mpirun -n 2 or more\n");
    return 1;
  }
  if (mesh.world->rank() == 0) fmt::print("| ranks | verb | buffer | way | ms | GB/s | x own |\n|--:|---|--:|---|--:|--:|--:|\n");
  for (const std::int64_t megabytes : {1, 10, 100}) weft::Bench(mesh).run(megabytes);
  return 0;
}
