#pragma once
#include <cstdint>
#include <memory>
#include <string>

#include "launcher/config/config.h"
#include "runtime/device.h"
#include "runtime/files/json.h"
#include "runtime/kernels/table.h"

namespace weft {

/// The device of this process and what was chosen for it.
struct Machine {
  const KernelTable* kernels = nullptr;
  DType dtype = DType::kFloat32;
  std::string reason;    // why this dtype
  bool by_auto = false;  // chosen now, by feature flags
  int threads = 1;
};

/// The environment variable that lowers the instruction set: avx2, avx512 or amx.
inline constexpr const char* kInstructionSetVariable = "WEFT_MAX_CPU_ISA";
/// Applies it, before anything is computed.
void obey_instruction_set_limit();

/// Sets the threads of this rank, unless OMP_NUM_THREADS does: the cores that this process may use, shared among the ranks on its host.
void share_cores(int ranks_on_host);

/// What to say when ranks and threads outnumber the cores of this host: right, but slower. Empty when they do not, or when each rank is
/// bound to cores of its own.
std::string oversubscription(int ranks_on_host, int threads);

/// precision.dtype auto is bf16 where the processor multiplies it faster (AMX), else fp32; `recorded` (of a checkpoint) wins over auto.
Machine choose_machine(const Config&, const Json* recorded);

/// The device that was chosen; nothing of its memory is taken yet.
std::unique_ptr<Device> make_device(const Machine&);

/// What `auto` chose, for the checkpoint: kernels, dtype, threads, micro_batch_rows.
Json choices(const Machine&, std::int64_t micro_batch_rows);
/// Empty when a resume computes as the recorded run did, so that it continues to the same bits; else what differs: `threads 2 -> 1`.
std::string differences(const Json& recorded, const Json& now);

}  // namespace weft
