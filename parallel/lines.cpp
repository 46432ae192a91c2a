#include "parallel/lines.h"

namespace weft {
namespace {

std::string joined(const Lines& lines) {
  std::string text;
  for (const std::string& line : lines) text += line + '\n';
  return text;
}

Lines split(const std::string& text) {
  Lines lines;
  for (std::size_t begin = 0; begin < text.size();) {
    const std::size_t end = text.find('\n', begin);
    lines.push_back(text.substr(begin, end - begin));
    begin = end + 1;
  }
  return lines;
}

}  // namespace

Lines broadcast_lines(Control& control, const Lines& lines) {
  return split(control.broadcast(control.rank() == 0 ? joined(lines) : "", 0));
}

std::vector<Lines> gather_lines(Control& control, const Lines& lines) {
  std::vector<Lines> by_rank;
  for (const std::string& text : control.gather(joined(lines), 0)) by_rank.push_back(split(text));
  return by_rank;
}

}  // namespace weft
