#pragma once
#include <memory>

#include "layers/parameter.h"
#include "layers/tensor_parallel.h"
#include "models/generator.h"
#include "models/model.h"
#include "models/model_config.h"

namespace weft {

/// A model as both training and decoding see it.
class TranslationModel : public Model, public Generator {};

/// The encoder-decoder Transformer, arXiv 1706.03762, post-norm or pre-norm. The constructor registers every parameter under the names of
/// docs/files.md and lays the set out; it allocates no tensor. With tensor parallelism each rank registers and computes its piece.
std::unique_ptr<TranslationModel> make_transformer(const ModelConfig&, ParameterSet&, TensorParallel = {});

}  // namespace weft
