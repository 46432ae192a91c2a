#include "launcher/verbs/translate_lines.h"

#include <algorithm>

#include "inference/translator.h"
#include "launcher/ranks/deal_lines.h"

namespace weft {

std::vector<std::string> translate_lines(Job& job, DecodingRun& run, std::vector<std::string> lines) {
  const Translator translator(run.problem(), run.loaded().source(), run.loaded().target(), run.config().model.max_length);
  const auto warn = [&](const std::string& text) { run.warn(text); };
  std::size_t taken = 0;
  std::vector<std::string> translations;
  const auto read = [&](std::size_t most) {
    const std::size_t begin = taken;
    taken += std::min(most, lines.size() - taken);
    return std::vector<std::string>(lines.begin() + static_cast<std::ptrdiff_t>(begin), lines.begin() + static_cast<std::ptrdiff_t>(taken));
  };
  const auto answer = [&](std::span<const std::string> share, std::int64_t first) {
    std::string text;
    for (const auto& outputs : translator.translate(run.context(), share, first + 1, warn)) text += outputs.front().text + '\n';
    return text;
  };
  const auto write = [&](const std::string& text) {
    for (std::size_t begin = 0; begin < text.size();) {
      const std::size_t end = text.find('\n', begin);
      translations.push_back(text.substr(begin, end - begin));
      begin = end + 1;
    }
  };
  deal_lines(job.control(), {.read = read, .answer = answer, .write = write});
  return translations;
}

}  // namespace weft
