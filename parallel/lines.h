#pragma once
#include <string>
#include <vector>

#include "parallel/control.h"

namespace weft {

/// Lines of text between ranks; none holds LF.
using Lines = std::vector<std::string>;

/// On every rank the lines of rank 0.
Lines broadcast_lines(Control&, const Lines&);
/// On rank 0 the lines of every rank, by rank; elsewhere empty.
std::vector<Lines> gather_lines(Control&, const Lines&);

}  // namespace weft
