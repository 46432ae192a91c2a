#pragma once
#include <string_view>
#include <type_traits>

#include "runtime/context.h"
#include "runtime/kernels/table.h"

namespace weft::kernels {

/// How every launcher ends, its arguments checked: runs the device's kernel, unless the device is dry and computes nothing.
template <class Arguments>
void launch(Context& ctx, Kernel<Arguments> KernelTable::*op, const std::type_identity_t<Arguments>& a) {
  if (ctx.device.computes()) (ctx.device.kernels().*op).run(ctx, a);
}

/// The same for an op with a workspace, which is scratch for as long as the kernel runs. A dry device takes it too: that measures it.
template <class Arguments>
void launch_with_workspace(Context& ctx, Kernel<Arguments> KernelTable::*op, std::string_view name, std::type_identity_t<Arguments> a) {
  const StepArena::Scope scope(ctx.memory);
  a.workspace = ctx.memory.scratch(name, {(ctx.device.kernels().*op).workspace_bytes(a)}, DType::kUInt8);
  launch(ctx, op, a);
}

}  // namespace weft::kernels
