#pragma once
#include <string>

#include "launcher/config/config.h"
#include "launcher/ranks/job.h"
#include "runtime/files/storage.h"
#include "runtime/log.h"

namespace weft {

/// What every phase of a start works with. Each is entered once, by all ranks: docs/architecture.md, "Start-up".
struct StartUp {
  const Config& config;
  const std::string& config_text;  // as dump_config writes it
  std::string version;             // of the program
  Job& job;
  Storage& storage;
  Log& log;
};

}  // namespace weft
