#include "launcher/ranks/deal_lines.h"

#include "launcher/ranks/together.h"

namespace weft {
namespace {

// No line holds LF, so lines travel as text.
std::string joined(const std::vector<std::string>& lines) {
  std::string text;
  for (const std::string& line : lines) text += line + '\n';
  return text;
}

std::vector<std::string> split(const std::string& text) {
  std::vector<std::string> lines;
  for (std::size_t begin = 0; begin < text.size();) {
    const std::size_t end = text.find('\n', begin);
    lines.push_back(text.substr(begin, end - begin));
    begin = end + 1;
  }
  return lines;
}

}  // namespace

void deal_lines(Control& control, const LineWork& work) {
  const auto ranks = static_cast<std::size_t>(control.size()), rank = static_cast<std::size_t>(control.rank());
  for (std::int64_t done = 0;;) {
    std::string block;
    on_root(control, [&] { block = joined(work.read(kLinesTogether * ranks)); });
    const std::vector<std::string> lines = split(control.broadcast(std::move(block), 0));
    if (lines.empty()) return;
    const std::size_t items = lines.size() / work.lines_per_item;
    const std::size_t begin = items * rank / ranks, end = items * (rank + 1) / ranks;
    std::string mine;
    together(control, [&] {
      const auto share = std::span(lines).subspan(begin * work.lines_per_item, (end - begin) * work.lines_per_item);
      if (!share.empty()) mine = work.answer(share, done + static_cast<std::int64_t>(begin));
    });
    const std::vector<std::string> answers = control.gather(std::move(mine), 0);
    on_root(control, [&] {
      for (const std::string& answer : answers) work.write(answer);
    });
    done += static_cast<std::int64_t>(items);
  }
}

}  // namespace weft
