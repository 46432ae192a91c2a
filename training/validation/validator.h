#pragma once
#include <functional>
#include <optional>
#include <vector>

#include "data/batch_builder.h"
#include "layers/block_hooks.h"
#include "models/model.h"
#include "parallel/progress.h"
#include "training/loss_buffer.h"

namespace weft {

/// Loss over a held-out data set, without dropout and label smoothing, in batches of at most `micro_batch_rows` tokens a side, dealt to the
/// data-parallel ranks. The result is the same on every rank.
class Validator {
 public:
  /// The data set must outlive the validator.
  Validator(Device&, Communicator& dp, const Dataset&, std::int64_t micro_batch_rows);

  struct Result {
    double loss = 0;        // nats a target token, end tokens included
    double perplexity = 0;  // exp(loss)
    double accuracy = 0;    // share of tokens whose largest logit is right
  };
  /// `progress` moves with every batch, for the watchdog. All ranks ask `stop`, which answers the same on each, before every batch; nothing
  /// is returned once it says so.
  std::optional<Result> run(Context&, Model&, BlockHooks&, Progress&, const std::function<bool()>& stop);

 private:
  Device& device_;
  Communicator& dp_;
  const Dataset& data_;
  std::vector<BatchPart> parts_;
  BatchBuffer buffer_;
};

}  // namespace weft
