#pragma once
#include <array>
#include <string>
#include <string_view>
#include <utility>

namespace weft {

/// How BLEU cuts text into words, by sacreBLEU's names:
/// 13a: mteval-v13a of WMT, Western punctuation; intl: mteval-v14, Unicode punctuation and symbols; zh: each Chinese character a word, the
/// rest as 13a; char: each character a word; none: white space alone.
enum class BleuTokenizer { k13a, kIntl, kZh, kChar, kNone };
/// As options and signatures spell them.
inline constexpr std::array<std::pair<const char*, BleuTokenizer>, 5> kBleuTokenizers{{{"13a", BleuTokenizer::k13a},
                                                                                       {"intl", BleuTokenizer::kIntl},
                                                                                       {"zh", BleuTokenizer::kZh},
                                                                                       {"char", BleuTokenizer::kChar},
                                                                                       {"none", BleuTokenizer::kNone}}};

/// The text with white space between words.
std::u32string tokenize(BleuTokenizer, std::u32string_view text);

/// The spelling; `tokenizer_of` fails with exit 64 on any other name.
std::string_view name(BleuTokenizer);
BleuTokenizer tokenizer_of(std::string_view name);

}  // namespace weft
