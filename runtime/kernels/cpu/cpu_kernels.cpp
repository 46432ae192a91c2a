#include "runtime/kernels/cpu/isa_arguments.h"
#include "runtime/kernels/cpu/product.h"

namespace weft {
namespace cpu {

// Each stands in its file in this folder.
template <const Isa& isa>
void install_activation(KernelTable&);
template <const Isa& isa>
void install_attention(KernelTable&);
template <const Isa& isa>
void install_bias_gradient(KernelTable&);
template <const Isa& isa>
void install_cross_entropy(KernelTable&);
template <const Isa& isa>
void install_dropout(KernelTable&);
template <const Isa& isa>
void install_embedding(KernelTable&);
template <const Isa& isa>
void install_norm(KernelTable&);
template <const Isa& isa>
void install_memory_ops(KernelTable&);
template <const Isa& isa>
void install_optimizer(KernelTable&);
template <const Isa& isa>
void install_swiglu(KernelTable&);
template <const Isa& isa, const Products& products>
void install_matmul(KernelTable&);

}  // namespace cpu

namespace {

template <const cpu::Isa& isa, const cpu::Products& products>
KernelTable make(const char* name) {
  KernelTable table = reference_kernels();
  table.name = name;
  cpu::install_matmul<isa, products>(table);
  cpu::install_activation<isa>(table);
  cpu::install_attention<isa>(table);
  cpu::install_bias_gradient<isa>(table);
  cpu::install_cross_entropy<isa>(table);
  cpu::install_dropout<isa>(table);
  cpu::install_embedding<isa>(table);
  cpu::install_norm<isa>(table);
  cpu::install_memory_ops<isa>(table);
  cpu::install_optimizer<isa>(table);
  cpu::install_swiglu<isa>(table);
  return table;
}

}  // namespace

const KernelTable& cpu_kernels(InstructionSet set) {
  static const KernelTable avx2 = make<cpu::avx2::isa, cpu::own_products>("cpu (avx2)");
  static const KernelTable avx512 = make<cpu::avx512::isa, cpu::library_products>("cpu (avx512)");
  static const KernelTable amx = make<cpu::avx512::isa, cpu::library_products>("cpu (amx)");
  switch (set) {
    case InstructionSet::kAmx:
      return amx;
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
