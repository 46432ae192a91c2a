#pragma once
#include <string>
#include <vector>

#include "models/model_config.h"
#include "parallel/mesh.h"

namespace weft {

/// `dp2xtp2`; what is 1 is left out.
std::string layout_name(Grid);
/// `dp2`, `tp4` or `dp2xtp2`. Fails with exit 64.
Grid parse_layout(const std::string&);

/// Fails with exit 64 when the ranks cannot share the model's heads and feed-forward layers, and says which sizes would do.
void require_shareable(Grid, const ModelConfig&);

/// The layouts to look at where none is asked for: all of `ranks` ranks; of 0: a few small ones. Those that the model does not allow are
/// left out.
std::vector<Grid> usual_layouts(const ModelConfig&, int ranks);

}  // namespace weft
