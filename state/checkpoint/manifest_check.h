#pragma once
#include "state/checkpoint/manifest.h"

namespace weft {

/// Whether a manifest's numbers fit together, whatever its checksum says; fails with exit 64. See parse_manifest.
void check_manifest(const Manifest&);

}  // namespace weft
