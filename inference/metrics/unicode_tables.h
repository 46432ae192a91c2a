#pragma once
#include <cstdint>
#include <span>

namespace weft::unicode_tables {

/// Code points first .. last. Each table is sorted and its ranges do not touch.
struct Range {
  char32_t first, last;
};

/// first, first + stride, .. last have the lower case c + delta.
struct LowerRun {
  char32_t first, last;
  std::uint32_t stride;
  std::int32_t delta;
};

std::span<const Range> punctuation();     // general category P
std::span<const Range> symbol();          // S
std::span<const Range> number();          // N
std::span<const Range> cased();           // property Cased, without what is also case-ignorable
std::span<const Range> case_ignorable();  // property Case_Ignorable
std::span<const LowerRun> lower_runs();   // without U+0130 and U+03A3, whose lower case is no single character or depends on the context

}  // namespace weft::unicode_tables
