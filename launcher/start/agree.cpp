#include "launcher/start/agree.h"

#include "data/text/text_file.h"
#include "launcher/ranks/together.h"
#include "runtime/files/checksum.h"

namespace weft {

void agree(Job& job, const Configured& read) {
  together(job.control(), [&] {
    if (read.failure) std::rethrow_exception(read.failure);
  });
  // Of the file that runs here: hosts may have other builds of one version.
  const std::string program = job.size() > 1 ? checksum(read_whole_file("/proc/self/exe")).hex() : "";
  require_same(job.control(), {{"program", program}, {"configuration", read.text}});
  if (job.is_root()) print_notes(read.loaded);
}

}  // namespace weft
