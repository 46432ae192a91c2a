#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <memory>
#include <optional>

#include <fmt/format.h>

#include "data/prepare/prepare.h"
#include "launcher/ranks/memory_question.h"
#include "launcher/ranks/together.h"
#include "launcher/start/read.h"
#include "launcher/verbs.h"
#include "launcher/verbs/layout_runs.h"
#include "launcher/verbs/layouts.h"
#include "runtime/error.h"
#include "runtime/files/json.h"
#include "training/available_memory.h"
#include "training/layout_difference.h"
#include "training/memory_plan.h"

namespace weft {
namespace {

namespace fs = std::filesystem;

/// What `weft verify` is asked.
struct VerifyOptions {
  ConfigOptions config;
  std::vector<std::string> layouts;
  int steps = 5;
  bool json = false;
};

/// A prepared folder; a temporary one goes with the object.
struct Folder {
  std::string path;
  bool temporary = false;
  ~Folder() {
    std::error_code error;
    if (temporary) fs::remove_all(path, error);
  }
};

/// data.prepared, the folder of the run where it is up to date, or the text prepared into a temporary folder: the run itself is not
/// touched.
std::unique_ptr<Folder> find_text(const Config& config, Log& log) {
  auto folder = std::make_unique<Folder>();
  folder->path = config.data.prepared;
  if (!folder->path.empty()) return folder;
  PrepareConfig prepared{.data = config.data,
                         .vocab = config.vocab,
                         .limits = {.source = config.model.max_length, .target = config.model.max_length},
                         .folder = config.run_dir + "/prepared",
                         .ready = {}};
  folder->path = prepared.folder;
  if (check_prepared(prepared).state == PreparedState::kWhole) return folder;
  prepared.folder = fs::temp_directory_path() / fmt::format("weft-verify-{}", ::getpid());
  folder->path = prepared.folder;
  folder->temporary = true;
  log.info("prepare", prepared.folder + ": learning the vocabulary and binarising the text, for this check alone");
  prepare(prepared);
  return folder;
}

/// What all runs have in common.
struct Setup {
  Config config;
  VerifyOptions asked;
  Machine machine;
  ModelConfig model;
  std::int64_t micro_batch_rows = 0;

  SamplerConfig sampling() const {
    return {.seed = static_cast<std::uint64_t>(config.seed),
            .batch_type = config.training.batch_type,
            .batch_size = config.training.batch_size,
            .bucket_size = config.data.bucket_size,
            .shuffle = config.data.shuffle};
  }
  LayoutRunConfig run_config(Grid grid, std::int64_t rows) const {
    const MemoryPlan plan = measure_memory(memory_question(config, model, machine, grid), rows);
    return {.seed = static_cast<std::uint64_t>(config.seed),
            .model = model,
            .optimizer = config.optimizer,
            .training = config.training,
            .parallel = config.parallel,
            .sampling = sampling(),
            .dtype = machine.dtype,
            .micro_batch_rows = rows,
            .arena_bytes = plan.arena(),
            .updates = 1 + asked.steps};
  }
};

/// The micro-batch that fits on every rank at once: as threads, all of them share the memory of this host.
std::int64_t choose_rows(const Setup& setup, int ranks_on_host) {
  if (setup.config.training.micro_batch_size > 0) return setup.config.training.micro_batch_size;
  const MemoryQuestion question = memory_question(setup.config, setup.model, setup.machine, {1, 1});
  const auto limit =
      static_cast<std::int64_t>(setup.config.parallel.memory_limit * static_cast<double>(available_host_memory())) / ranks_on_host;
  const MemoryPlan plan = fit_micro_batch(question, batch_rows(setup.config), limit);
  if (plan.total() <= limit) return plan.micro_batch_rows;
  fail_input(fmt::format("does not fit: {}\n  found     {} of memory for each of {} ranks\n  expected  fewer ranks, or a smaller model",
                         describe(plan), bytes_text(limit), ranks_on_host));
}

std::vector<Grid> choose_layouts(const Setup& setup, int job_ranks) {
  if (setup.asked.layouts.empty()) return usual_layouts(setup.model, job_ranks > 1 ? job_ranks : 0);
  std::vector<Grid> layouts;
  for (const std::string& text : setup.asked.layouts) {
    const Grid grid = parse_layout(text);
    require_shareable(grid, setup.model);
    if (job_ranks > 1 && grid.data * grid.tensor != job_ranks) {
      fail_input(fmt::format(
          "--layouts: {} has {} ranks\n  found     {} ranks (mpirun -n)\n  expected  layouts of all of them; without mpirun, any", text,
          grid.data * grid.tensor, job_ranks));
    }
    layouts.push_back(grid);
  }
  return layouts;
}

/// A rank without a sentence would prove nothing.
void require_sentences(const Setup& setup, const std::vector<Grid>& layouts, const Dataset& data) {
  const auto sentences = static_cast<std::int64_t>(BatchSampler(data, setup.sampling()).update({}).samples.size());
  for (const Grid grid : layouts) {
    if (grid.data <= sentences) continue;
    fail_input(
        fmt::format("--layouts: {} deals an update to {} ranks\n  found     {} sentences in the first update\n  expected  a larger "
                    "training.batch_size, or fewer ranks",
                    layout_name(grid), grid.data, sentences));
  }
}

/// One layout beside one rank.
struct Verified {
  std::string name;
  LayoutRun run;  // of its first rank
  LayoutDifference difference;
};

void print_tables(const Setup& setup, const LayoutRun& whole, const LayoutRun& regrouped, const std::vector<Verified>& layouts) {
  const LayoutTolerance limit = layout_tolerance(setup.machine.dtype);
  std::size_t width = 6;
  for (const Verified& one : layouts) width = std::max(width, one.difference.tensor.size());
  fmt::print("one update from equal weights, {}, against one rank\n", name(setup.machine.dtype));
  fmt::print("{:<10} {:>10} {:>10} {:>10} {:>10}  {:<{}} {:>10}\n", "layout", "loss", "difference", "grad norm", "difference",
             "worst gradient", width, "difference");
  fmt::print("{:<10} {:>10.6f} {:>10} {:>10.4f} {:>10}\n", "one rank", whole.steps[0].loss, "", whole.steps[0].grad_norm, "");
  for (const Verified& one : layouts) {
    const LayoutDifference& d = one.difference;
    fmt::print("{:<10} {:>10.6f} {:>10.1e} {:>10.4f} {:>10.1e}  {:<{}} {:>10.1e}  {}\n", one.name, one.run.steps[0].loss, d.loss,
               one.run.steps[0].grad_norm, d.grad_norm, d.tensor, std::max<std::size_t>(width, 14), d.gradient,
               d.within(limit) ? "pass" : "FAIL");
  }
  fmt::print("limits: loss {:.0e}, gradients {:.0e}\n", limit.loss, limit.gradient);
  if (whole.steps.size() < 2) return;
  fmt::print("\nfurther updates: difference of the loss; not judged, since rounding grows in training\nupdate  {:>12}", "regrouped");
  for (const Verified& one : layouts) fmt::print(" {:>12}", one.name);
  fmt::print("\n");
  const auto apart = [&](const LayoutRun& run, std::size_t step) { return std::abs(run.steps[step].loss / whole.steps[step].loss - 1); };
  for (std::size_t step = 1; step < whole.steps.size(); ++step) {
    fmt::print("{:>6}  {:>12.1e}", step + 1, apart(regrouped, step));
    for (const Verified& one : layouts) fmt::print(" {:>12.1e}", apart(one.run, step));
    fmt::print("\n");
  }
  fmt::print("regrouped: one rank that divides its updates into other passes; the floor of such differences\n");
}

void print_json(const Setup& setup, const LayoutRun& whole, const LayoutRun& regrouped, const std::vector<Verified>& layouts) {
  const auto losses = [](const LayoutRun& run) {
    Json array = Json::array();
    for (const LayoutRun::Step& step : run.steps) array.push_back(step.loss);
    return array;
  };
  const auto line = [&](const std::string& layout, const LayoutRun& run) {
    Json json = Json::object();
    json.set("layout", layout).set("dtype", std::string(name(setup.machine.dtype))).set("losses", losses(run));
    json.set("grad_norm", run.steps[0].grad_norm);
    return json;
  };
  fmt::print("{}\n{}\n", line("one rank", whole).dump(), line("regrouped", regrouped).dump());
  for (const Verified& one : layouts) {
    const LayoutDifference& d = one.difference;
    Json json = line(one.name, one.run);
    json.set("loss_difference", d.loss).set("grad_norm_difference", d.grad_norm).set("worst_gradient", d.tensor);
    json.set("gradient_difference", d.gradient).set("pass", d.within(layout_tolerance(setup.machine.dtype)));
    fmt::print("{}\n", json.dump());
  }
}

int judge(const Setup& setup, const std::vector<Verified>& layouts) {
  const LayoutTolerance limit = layout_tolerance(setup.machine.dtype);
  for (const Verified& one : layouts) {
    const LayoutDifference& d = one.difference;
    if (d.within(limit)) continue;
    fmt::print(stderr,
               "weft: {} does not train the model that one rank trains\n  found     gradient of {} {:.1e} apart, loss {:.1e}, gradient "
               "norm {:.1e}\n"
               "  expected  at most {:.0e}, loss {:.0e}\n",
               one.name, d.tensor, d.gradient, d.loss, d.grad_norm, limit.gradient, limit.loss);
    return static_cast<int>(ExitCode::kNumerics);
  }
  return static_cast<int>(ExitCode::kDone);
}

/// The derivative of relu jumps at 0: for inputs that are 0 but for rounding, rounding decides it, and of millions some are. Layouts treat
/// all elementwise functions alike, so gelu stands in. Returns whether it does.
bool make_smooth(ModelConfig& model) {
  if (model.activation != FfnActivation::kRelu) return false;
  model.activation = FfnActivation::kGelu;
  return true;
}

int verify(Job& job, const VerifyOptions& asked) {
  share_cores(job.ranks_on_host());
  Log log = make_log(job);
  Setup setup{.config = {}, .asked = asked, .machine = {}, .model = {}};
  std::unique_ptr<Folder> folder;
  std::string path;
  on_root(job.control(), [&] {
    folder = find_text(read_config(asked.config, ConfigUse::kTrain), log);
    path = folder->path;
  });
  path = job.control().broadcast(path, 0);
  std::optional<PreparedData> data;
  std::vector<Grid> layouts;
  bool smoothed = false;
  together(job.control(), [&] {
    setup.config = load_config(asked.config.files, asked.config.sets, ConfigUse::kTrain).config;
    setup.config.training.valid_metrics.clear();  // nothing is validated, so no memory is taken for it
    data.emplace(open_prepared(path, setup.config.vocab));
    setup.machine = choose_machine(setup.config, nullptr);
    if (setup.machine.by_auto) setup.machine.dtype = DType::kFloat32;
    setup.model = setup.config.model;
    setup.model.source_vocab_size = data->source.size();
    setup.model.target_vocab_size = data->target.size();
    smoothed = make_smooth(setup.model);
    layouts = choose_layouts(setup, job.size());
    int most = job.ranks_on_host();
    for (const Grid grid : layouts) most = std::max(most, job.size() > 1 ? most : grid.data * grid.tensor);
    setup.micro_batch_rows = choose_rows(setup, most);
    require_sentences(setup, layouts, data->train);
  });

  if (smoothed) {
    log.info("verify", "gelu stands in for relu: its derivative has no jump at 0, where rounding would decide the gradient");
  }
  const Dataset& train = data->train;
  LayoutRun whole, regrouped;
  on_root(job.control(), [&] {
    log.info("verify", fmt::format("one rank, {} updates", 1 + asked.steps));
    whole = run_alone(setup.run_config({1, 1}, setup.micro_batch_rows), setup.machine, train);
    const std::int64_t fewer = std::max(setup.model.max_length, setup.micro_batch_rows / 2);
    regrouped = run_alone(setup.run_config({1, 1}, fewer), setup.machine, train);
  });
  std::vector<Verified> verified;
  for (const Grid grid : layouts) {
    log.info("verify", layout_name(grid));
    std::vector<LayoutRun> runs;
    together(job.control(), [&] { runs = run_together(job, grid, setup.run_config(grid, setup.micro_batch_rows), setup.machine, train); });
    if (job.is_root()) verified.push_back({layout_name(grid), runs.at(0), difference(runs, whole)});
  }
  if (!job.is_root()) return std::stoi(job.control().broadcast("", 0));
  asked.json ? print_json(setup, whole, regrouped, verified) : print_tables(setup, whole, regrouped, verified);
  return std::stoi(job.control().broadcast(std::to_string(judge(setup, verified)), 0));
}

}  // namespace

Action verify_verb(Options& options) {
  const auto asked = std::make_shared<VerifyOptions>();
  add_config_options(options, asked->config);
  options.texts("--layouts", asked->layouts, "LAYOUT...", "dp2, tp2, dp2xtp2: data-parallel and tensor-parallel ranks", ',');
  options.whole("--steps", asked->steps, 0, 1000, "N", "further updates, which are shown and not judged");
  options.flag("--json", asked->json, "one JSON object a line");
  return [asked] { return run_or_dump("verify", asked->config, [&] { return on_ranks([&](Job& job) { return verify(job, *asked); }); }); };
}

}  // namespace weft
