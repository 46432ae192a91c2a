#pragma once
#include <string>

#include "parallel/progress.h"

namespace weft {

/// SIGSEGV, SIGBUS, SIGFPE, SIGILL and SIGABRT print rank, host and step to stderr with write(2) alone, then do what they do by default:
/// the core dump and the exit status stay true. Works on its own stack, so an overflow of the main stack is reported too.
/// Call once in a process, after MPI_Init (which installs handlers of its own); `progress` lives until the process ends.
void install_crash_handler(const Progress& progress, int rank, const std::string& host);

}  // namespace weft
