#include "launcher/ranks/machine.h"

#include <fmt/format.h>
#include <omp.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <optional>

#include "runtime/cpu_device.h"
#include "runtime/cpu_features.h"
#include "runtime/error.h"

namespace weft {
namespace {

std::string text_of(const Json& value) {
  return value.is_string() ? value.as_string() : value.dump();
}

DType parse_dtype(const std::string& text) {
  if (text == name(DType::kFloat32)) return DType::kFloat32;
  if (text == name(DType::kBFloat16)) return DType::kBFloat16;
  fail_input("checkpoint: recorded dtype " + text + ", expected float32 or bfloat16");
}

}  // namespace

void obey_instruction_set_limit() {
  const char* value = std::getenv(kInstructionSetVariable);
  if (value == nullptr) return;
  const std::optional<InstructionSet> most = parse_instruction_set(value);
  if (!most) fail_input(fmt::format("{}: {} is no instruction set\n  expected  avx2, avx512 or amx", kInstructionSetVariable, value));
  limit_instruction_set(*most);
}

void share_cores(int ranks_on_host) {
  if (ranks_on_host <= 1 || std::getenv("OMP_NUM_THREADS") != nullptr) return;
  omp_set_num_threads(std::max(1, omp_get_num_procs() / ranks_on_host));
}

std::string oversubscription(int ranks_on_host, int threads) {
  const int cores = omp_get_num_procs();
  if (cores < ::sysconf(_SC_NPROCESSORS_ONLN) || ranks_on_host * threads <= cores) return "";
  return fmt::format("{} ranks x {} thread{} share {} core{} of this host: training is slower than with fewer", ranks_on_host, threads,
                     threads == 1 ? "" : "s", cores, cores == 1 ? "" : "s");
}

Machine choose_machine(const Config& config, const Json* recorded) {
  const InstructionSet set = instruction_set();
  Machine machine{.kernels = &cpu_kernels(set), .threads = omp_get_max_threads()};
  if (config.dtype != Precision::kAuto) {
    machine.dtype = config.dtype == Precision::kBf16 ? DType::kBFloat16 : DType::kFloat32;
    machine.reason = "as configured";
  } else if (recorded != nullptr) {
    machine.dtype = parse_dtype(recorded->at("dtype").as_string());
    machine.reason = "as the checkpoint";
  } else {
    machine.by_auto = true;
    const bool amx = set == InstructionSet::kAmx;
    machine.dtype = amx ? DType::kBFloat16 : DType::kFloat32;
    machine.reason = amx ? "auto: this processor has AMX" : "auto: this processor has no AMX";
  }
  return machine;
}

std::unique_ptr<Device> make_device(const Machine& machine) {
  return std::make_unique<CpuDevice>(*machine.kernels);
}

Json choices(const Machine& machine, std::int64_t micro_batch_rows) {
  Json json = Json::object();
  json.set("kernels", machine.kernels->name).set("dtype", std::string(name(machine.dtype)));
  json.set("threads", machine.threads).set("micro_batch_rows", micro_batch_rows);
  return json;
}

std::string differences(const Json& recorded, const Json& now) {
  std::string text;
  for (const Json::Member& member : now.as_object()) {
    const Json* before = recorded.find(member.key);
    if (before != nullptr && *before == member.value) continue;
    text += fmt::format("{}{} {} -> {}", text.empty() ? "" : ", ", member.key, before == nullptr ? "unknown" : text_of(*before),
                        text_of(member.value));
  }
  return text;
}

}  // namespace weft
