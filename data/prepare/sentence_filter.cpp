#include "data/prepare/sentence_filter.h"

#include <algorithm>

#include <fmt/format.h>

#include "data/text/text_file.h"
#include "data/text/utf8.h"
#include "runtime/error.h"

namespace weft {
namespace {

/// train.en:12, or train.tsv:12 (column 1).
std::string place(const TextColumn& text, std::int64_t line) {
  return fmt::format("{}:{}{}", text.file, line, text.column == 0 ? "" : fmt::format(" (column {})", text.column));
}

std::int64_t count_unknown(const Vocabulary& vocabulary, const std::vector<std::int32_t>& ids) {
  return std::count_if(ids.begin(), ids.end(), [&](std::int32_t id) { return vocabulary.is_unknown(id); });
}

/// Blanks at the ends gone, several of them one; SentencePiece writes its own mark for one.
std::string squeezed(std::string_view text) {
  constexpr std::string_view kMark = "\u2581";
  std::string result;
  for (std::size_t at = 0; at < text.size();) {
    const bool mark = text.substr(at).starts_with(kMark), blank = mark || text[at] == ' ';
    if (!blank) result += text[at];
    if (blank && !result.empty() && result.back() != ' ') result += ' ';
    at += mark ? kMark.size() : 1;
  }
  if (result.ends_with(' ')) result.pop_back();
  return result;
}

/// Judged by what comes back; an unknown token says nothing.
bool is_normalised(const Vocabulary& vocabulary, const std::string& text, const std::vector<std::int32_t>& ids) {
  if (vocabulary.type() != VocabType::kSentencePiece) return false;
  if (std::count(ids.begin(), ids.end(), vocabulary.special().unk) > 0) return false;
  return squeezed(vocabulary.decode(ids)) != squeezed(text);
}

}  // namespace

std::string describe(const PrepareAccount& a) {
  std::string text = fmt::format("{} pairs, {} kept", a.lines, a.kept);
  std::string separator = "; dropped: ";
  const auto add = [&](std::int64_t count, const char* what) {
    if (count == 0) return;
    text += fmt::format("{}{} {}", separator, count, what);
    separator = ", ";
  };
  add(a.invalid_utf8, "invalid UTF-8");
  add(a.empty, "empty");
  add(a.too_long, "too long");
  add(a.length_ratio, "beyond the length ratio");
  separator = "; ";
  add(a.repaired, "repaired");
  add(a.cropped, "cropped");
  return text;
}

PrepareAccount& operator+=(PrepareAccount& sum, const PrepareAccount& a) {
  sum.lines += a.lines;
  sum.kept += a.kept;
  sum.invalid_utf8 += a.invalid_utf8;
  sum.empty += a.empty;
  sum.too_long += a.too_long;
  sum.length_ratio += a.length_ratio;
  sum.repaired += a.repaired;
  sum.cropped += a.cropped;
  return sum;
}

SentenceFilter::SentenceFilter(const DataConfig& config, const LengthLimits& limits, const Vocabulary& source, const Vocabulary& target)
    : config_(config), limits_(limits), source_(source), target_(target) {}

EncodedPair SentenceFilter::encode(TextPair pair, const ParallelText& files) const {
  EncodedPair result;
  PrepareAccount& account = result.account;
  account.lines = 1;
  const std::string source_place = place(column_of(files, Side::kSource), pair.number);
  const std::string target_place = place(column_of(files, Side::kTarget), pair.number);
  if (!usable_text(pair.source.text, source_place, account) || !usable_text(pair.target.text, target_place, account)) {
    account.repaired = 0;
    return result;
  }
  // Megabytes without a line end are not worth encoding before they are dropped.
  for (const auto& [line, where] : {std::pair(&pair.source, &source_place), std::pair(&pair.target, &target_place)}) {
    if (!line->truncated || config_.too_long == TooLong::kCrop) continue;
    if (config_.too_long == TooLong::kError) fail_input(fmt::format("{}: a line of more than {} bytes", *where, kMaxLineBytes));
    account.too_long = 1;
    account.repaired = 0;
    return result;
  }
  result.source = source_.encode(pair.source.text);
  result.target = target_.encode(pair.target.text);
  result.source_tokens = static_cast<std::int64_t>(result.source.size());
  result.target_tokens = static_cast<std::int64_t>(result.target.size());
  result.source_unknown = count_unknown(source_, result.source);
  result.target_unknown = count_unknown(target_, result.target);
  result.target_changed = is_normalised(target_, pair.target.text, result.target);
  const bool kept = usable_length(result.source, limits_.source, source_place, account) &&
                    usable_length(result.target, limits_.target, target_place, account);
  const auto [shorter, longer] = std::minmax({result.source.size() + 1, result.target.size() + 1});
  if (kept && config_.length_ratio > 0 && static_cast<double>(longer) > config_.length_ratio * static_cast<double>(shorter)) {
    account.length_ratio = 1;
  }
  account.kept = kept && account.length_ratio == 0 ? 1 : 0;
  if (account.kept == 0) account.repaired = account.cropped = 0;
  return result;
}

bool SentenceFilter::usable_text(std::string& text, const std::string& where, PrepareAccount& account) const {
  const std::size_t broken = find_invalid_utf8(text);
  if (broken == std::string::npos) return true;
  if (config_.invalid_utf8 == InvalidUtf8::kError) {
    fail_input(
        fmt::format("{}: {}; data.invalid_utf8: skip drops such lines, replace repairs them", where, describe_invalid_utf8(text, broken)));
  }
  if (config_.invalid_utf8 == InvalidUtf8::kSkip) {
    account.invalid_utf8 = 1;
    return false;
  }
  text = repair_utf8(text);
  account.repaired = 1;
  return true;
}

bool SentenceFilter::usable_length(std::vector<std::int32_t>& ids, std::int64_t limit, const std::string& where,
                                   PrepareAccount& account) const {
  if (ids.empty()) {
    if (config_.empty == Empty::kError) fail_input(fmt::format("{}: empty line; data.empty: skip drops such pairs", where));
    account.empty = 1;
    return false;
  }
  const auto length = static_cast<std::int64_t>(ids.size()) + 1;
  if (length <= limit) return true;
  if (config_.too_long == TooLong::kError) {
    fail_input(fmt::format("{}: {} tokens with the end token, longer than model.max_length: {}", where, length, limit));
  }
  if (config_.too_long == TooLong::kSkip) {
    account.too_long = 1;
    return false;
  }
  ids.resize(static_cast<std::size_t>(limit - 1));
  account.cropped = 1;
  return true;
}

}  // namespace weft
