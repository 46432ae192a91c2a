#pragma once
#include <cstdint>

namespace weft {

enum class OptimizerKind { kAdam, kAdamW, kSgd };

/// The optimizer keys of section `training`.
struct OptimizerConfig {
  OptimizerKind kind = OptimizerKind::kAdam;
  double adam_beta1 = 0.9, adam_beta2 = 0.98, adam_eps = 1e-9;
  double momentum = 0.9;
  bool nesterov = false;
  double weight_decay = 0;
  double max_grad_norm = 1.0;  // 0: off
  double ema_decay = 0;        // 0: off
};

}  // namespace weft
