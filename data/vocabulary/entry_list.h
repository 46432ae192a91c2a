#pragma once
#include <array>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace weft {

/// The vocabularies of words, characters and bytes are text files: one entry a line, its id the number of the line from 0. The special
/// entries `<unk>`, `<s>` and `</s>` must be among them; the others decide what it is:
///   bytes       <0x00> to <0xFF>, and nothing else
///   characters  one character each, the blank among them
///   words       anything without a blank
inline constexpr std::array<std::string_view, 3> kSpecialEntries{"<unk>", "<s>", "</s>"};
inline constexpr std::string_view kBlankEntry = " ";

bool is_special_entry(std::string_view entry);
/// <0x0A> for 10.
std::string byte_entry(int byte);
/// Blanks, tabs and the other control characters that part words.
bool is_blank(char);
/// The words between blanks.
std::vector<std::string_view> words_of(std::string_view text);
/// The characters of well-formed text, without blanks at either end; every blank is kBlankEntry.
std::vector<std::string_view> characters_of(std::string_view text);

}  // namespace weft
