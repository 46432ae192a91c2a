#include "launcher/ranks/deal_lines.h"

#include "launcher/ranks/together.h"

namespace weft {

Lines deal_lines(Control& control, const Lines& lines, const LineQuestion& question, std::int64_t first_item) {
  const auto ranks = static_cast<std::size_t>(control.size()), rank = static_cast<std::size_t>(control.rank());
  const std::size_t each = question.lines_per_item, items = lines.size() / each;
  const std::size_t begin = items * rank / ranks, end = items * (rank + 1) / ranks;
  Lines own;
  together(control, [&] {
    const auto share = std::span(lines).subspan(begin * each, (end - begin) * each);
    if (!share.empty()) own = question.answer(share, first_item + static_cast<std::int64_t>(begin));
  });
  Lines answers;
  for (Lines& part : gather_lines(control, own)) answers.insert(answers.end(), part.begin(), part.end());
  return answers;
}

void deal_stream(Control& control, const LineStream& stream, const LineQuestion& question) {
  for (std::int64_t done = 0;;) {
    Lines lines;
    on_root(control, [&] { lines = stream.read(kLinesTogether * static_cast<std::size_t>(control.size())); });
    lines = broadcast_lines(control, lines);
    if (lines.empty()) return;
    const Lines answers = deal_lines(control, lines, question, done);
    on_root(control, [&] {
      std::string text;
      for (const std::string& answer : answers) text += answer + '\n';
      stream.write(text);
    });
    done += static_cast<std::int64_t>(lines.size() / question.lines_per_item);
  }
}

}  // namespace weft
