#include "launcher/verbs/layout_runs.h"

#include <omp.h>

#include <algorithm>
#include <cstring>
#include <span>

#include "parallel/threads/thread_communicator.h"

namespace weft {
namespace {

// What a rank sends to rank 0: steps, then tensors. Names and shapes stand in the model of every rank alike, but rank 0 does not have its
// boxes.

template <class T>
void put(std::string& bytes, std::span<const T> numbers) {
  const auto count = static_cast<std::int64_t>(numbers.size());
  bytes.append(reinterpret_cast<const char*>(&count), sizeof(count));
  bytes.append(reinterpret_cast<const char*>(numbers.data()), numbers.size_bytes());
}

template <class T>
std::vector<T> take(std::string_view& bytes) {
  std::int64_t count = 0;
  std::memcpy(&count, bytes.data(), sizeof(count));
  std::vector<T> numbers(static_cast<std::size_t>(count));
  std::memcpy(numbers.data(), bytes.data() + sizeof(count), numbers.size() * sizeof(T));
  bytes.remove_prefix(sizeof(count) + numbers.size() * sizeof(T));
  return numbers;
}

void put(std::string& bytes, const Shape& shape) {
  std::vector<std::int64_t> sizes;
  for (int dim = 0; dim < shape.dims(); ++dim) sizes.push_back(shape[dim]);
  put(bytes, std::span<const std::int64_t>(sizes));
}

Shape take_shape(std::string_view& bytes) {
  const std::vector<std::int64_t> sizes = take<std::int64_t>(bytes);
  return sizes.size() == 1 ? Shape{sizes[0]} : Shape{sizes.at(0), sizes.at(1)};
}

std::string packed(const LayoutRun& run) {
  std::string bytes;
  put(bytes, std::span<const LayoutRun::Step>(run.steps));
  for (const HeldTensor& tensor : run.gradients) {
    put(bytes, std::span<const char>(tensor.name));
    put(bytes, tensor.shape);
    put(bytes, tensor.box.begin);
    put(bytes, tensor.box.size);
    put(bytes, std::span<const float>(tensor.numbers));
  }
  return bytes;
}

LayoutRun unpacked(std::string_view bytes) {
  LayoutRun run{.steps = take<LayoutRun::Step>(bytes)};
  while (!bytes.empty()) {
    const std::vector<char> name = take<char>(bytes);
    HeldTensor tensor{.name = {name.begin(), name.end()}, .shape = take_shape(bytes)};
    tensor.box.begin = take_shape(bytes);
    tensor.box.size = take_shape(bytes);
    tensor.numbers = take<float>(bytes);
    run.gradients.push_back(std::move(tensor));
  }
  return run;
}

LayoutRun run_rank(Mesh& mesh, const LayoutRunConfig& config, const Machine& machine, const Dataset& data) {
  const std::unique_ptr<Device> device = make_device(machine);
  LayoutRun run = run_layout(mesh, *device, config, data);
  run.weights.clear();
  if (mesh.dp->rank() > 0) run.gradients.clear();
  return run;
}

}  // namespace

LayoutRun run_alone(const LayoutRunConfig& config, const Machine& machine, const Dataset& data) {
  Mesh alone = make_single_mesh();
  return run_rank(alone, config, machine, data);
}

std::vector<LayoutRun> run_together(Job& job, Grid grid, const LayoutRunConfig& config, const Machine& machine, const Dataset& data) {
  const int ranks = grid.data * grid.tensor;
  std::vector<LayoutRun> runs;
  if (job.size() > 1) {
    Mesh mesh = job.mesh_of(grid);
    const LayoutRun own = run_rank(mesh, config, machine, data);
    for (const std::string& bytes : job.control().gather(packed(own), 0)) runs.push_back(unpacked(bytes));
    return runs;
  }
  runs.resize(static_cast<std::size_t>(ranks));
  const int threads = std::max(1, machine.threads / ranks);
  run_ranks(ranks, {.data = grid.data, .tensor = grid.tensor}, [&](Mesh& mesh) {
    omp_set_num_threads(threads);
    runs[static_cast<std::size_t>(mesh.control->rank())] = run_rank(mesh, config, machine, data);
  });
  return runs;
}

}  // namespace weft
