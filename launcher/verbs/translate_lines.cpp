#include "launcher/verbs/translate_lines.h"

#include "inference/translator.h"
#include "launcher/ranks/deal_lines.h"

namespace weft {

Lines translate_lines(Job& job, DecodingRun& run, const Lines& lines) {
  const Translator translator(run.problem(), run.loaded().source(), run.loaded().target(), run.config().model.max_length);
  const auto warn = [&](const std::string& text) { run.warn(text); };
  const auto answer = [&](std::span<const std::string> share, std::int64_t first) {
    Lines best;
    for (const auto& outputs : translator.translate(run.context(), share, first + 1, warn)) best.push_back(outputs.front().text);
    return best;
  };
  return deal_lines(job.control(), broadcast_lines(job.control(), lines), {.answer = answer});
}

}  // namespace weft
