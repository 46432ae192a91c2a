#include "runtime/kernels/cpu/install.h"

namespace weft {
namespace {

template <const cpu::Isa& isa>
KernelTable make(const char* name) {
  KernelTable table = reference_kernels();
  table.name = name;
  cpu::install_matmul<isa>(table);
  cpu::install_rows<isa>(table);
  cpu::install_attention<isa>(table);
  cpu::install_optimizer<isa>(table);
  return table;
}

}  // namespace

const KernelTable& cpu_kernels(InstructionSet set) {
  static const KernelTable avx2 = make<cpu::avx2::isa>("cpu (avx2)");
  static const KernelTable avx512 = make<cpu::avx512::isa>("cpu (avx512)");
  switch (set) {
    case InstructionSet::kAvx512:
      return avx512;
    case InstructionSet::kAvx2:
      return avx2;
    case InstructionSet::kBaseline:
      break;
  }
  return reference_kernels();  // no processor of the last ten years
}

}  // namespace weft
