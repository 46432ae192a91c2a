#include <charconv>
#include <cmath>

#include <fmt/format.h>

#include "launcher/config/keys/key.h"

namespace weft {
namespace {

bool starts_with_number(const std::string& text) {
  const std::size_t digit = text.find_first_not_of("+-.");
  return digit != std::string::npos && text[digit] >= '0' && text[digit] <= '9';
}

/// What is wrong with how a number is written, if anything; its value apart.
std::optional<std::string> spelling_fault(const YamlNode& node) {
  if (node.kind != YamlNode::Kind::kScalar) return "not a number";
  const std::string& text = node.scalar;
  if (node.quoted) return starts_with_number(text) ? "a number in quotes" : "not a number";
  const std::string digits = text.substr(!text.empty() && text[0] == '-' ? 1 : 0);
  if (digits.size() > 1 && digits[0] == '0') {
    if (digits[1] == 'x' || digits[1] == 'X' || digits[1] == 'o') return "not a decimal number";
    if (digits[1] >= '0' && digits[1] <= '9') return "a leading zero";
  }
  const bool infinite =
      digits == ".inf" || digits == ".Inf" || digits == ".INF" || digits == ".nan" || digits == ".NaN" || digits == ".NAN";
  return infinite ? std::optional<std::string>("not a finite number") : std::nullopt;
}

/// The number at the beginning of a text and what follows it; empty when it begins with none.
struct Parsed {
  double value;
  std::string rest;
  bool exponent;
};
std::optional<Parsed> parse_number(const std::string& text) {
  double value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value, std::chars_format::fixed);
  if (error != std::errc{} || !std::isfinite(value)) return std::nullopt;
  const std::string rest(end, text.data() + text.size());
  const bool exponent = rest.size() > 1 && (rest[0] == 'e' || rest[0] == 'E') && rest.find_first_not_of("0123456789+-", 1) == rest.npos;
  return Parsed{value, rest, exponent};
}

/// Takes K, M or G off the front of `rest`.
double thousands(std::string& rest) {
  const std::size_t power = rest.empty() ? std::string::npos : std::string("KMG").find(rest[0]);
  if (power == std::string::npos) return 1;
  rest.erase(0, 1);
  return power == 0 ? 1e3 : power == 1 ? 1e6 : 1e9;
}

std::string whole_text(double value) {
  if (value < 1000 || std::fmod(value, 1000) != 0) return fmt::format("{:.0f}", value);
  if (std::fmod(value, 1e9) == 0) return fmt::format("{:.0f}G", value / 1e9);
  if (std::fmod(value, 1e6) == 0) return fmt::format("{:.0f}M", value / 1e6);
  return fmt::format("{:.0f}K", value / 1e3);
}

/// 1e3 looks like a thousand and like one epoch with a 3 too many: "1000u or 1Ku?" with unit u, "1000 or 1K?" without.
std::string exponent_advice(const std::string& text, const std::string& unit) {
  double value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc{} || end != text.data() + text.size() || value < 1 || value > 1e15 || value != std::floor(value)) return {};
  const std::string plain = fmt::format("{:.0f}", value), with_suffix = whole_text(value);
  return plain == with_suffix ? plain + unit + "?" : plain + unit + " or " + with_suffix + unit + "?";
}

}  // namespace

std::string Whole::words() const {
  std::string words = "a whole number";
  const bool bounded = most < Whole{}.most;
  if (least > Whole{}.least) words += bounded ? fmt::format(" from {} to {}", least, most) : fmt::format(", at least {}", least);
  return suffix ? words + "; K, M, G for thousands" : words;
}

std::string Real::words() const {
  std::string words = above ? fmt::format("a number above {}", least) : fmt::format("a number, at least {}", least);
  if (std::isfinite(most)) words += below ? fmt::format(" and below {}", most) : fmt::format(" and at most {}", most);
  return words;
}

ReadResult read_whole(const YamlNode& node, const Whole& range, std::int64_t& value) {
  if (const auto fault = spelling_fault(node)) return not_a(*fault, node, range.words());
  auto parsed = parse_number(node.scalar);
  if (parsed && parsed->exponent) {
    return not_a("not written as a whole number", node, range.words(), exponent_advice(node.scalar, ""));
  }
  const double factor = parsed && range.suffix ? thousands(parsed->rest) : 1;
  const double product = parsed ? parsed->value * factor : 0;
  const bool decimal_point = node.scalar.find('.') != std::string::npos && factor == 1;
  if (!parsed || !parsed->rest.empty() || product != std::floor(product) || decimal_point) {
    return not_a("not a whole number", node, range.words());
  }
  if (std::abs(product) > 1e15 || product < static_cast<double>(range.least) || product > static_cast<double>(range.most)) {
    return not_a("out of range", node, std::abs(product) > 1e15 ? range.words() + ", below 1e15" : range.words());
  }
  value = static_cast<std::int64_t>(product);
  return std::nullopt;
}

ReadResult read_real(const YamlNode& node, const Real& range, double& value) {
  if (const auto fault = spelling_fault(node)) return not_a(*fault, node, range.words());
  double number = 0;
  const char* last = node.scalar.data() + node.scalar.size();
  const auto [end, error] = std::from_chars(node.scalar.data(), last, number);
  if (error == std::errc::result_out_of_range) return not_a("out of range", node, range.words());
  if (error != std::errc{} || end != last || !std::isfinite(number)) return not_a("not a number", node, range.words());
  const bool low = range.above ? number <= range.least : number < range.least;
  const bool high = range.below ? number >= range.most : number > range.most;
  if (low || high) return not_a("out of range", node, range.words());
  value = number;
  return std::nullopt;
}

std::string real_text(double value) {
  return fmt::format("{}", value);
}

ReadResult read_frequency(const YamlNode& node, Frequency& value) {
  const std::string expected =
      "a number with K, M or G if wanted, and u (updates), t (target tokens) or e (epochs): 500u, 10Ku, 2.5Gt, 0.5e";
  if (const auto fault = spelling_fault(node)) return not_a(*fault, node, expected);
  auto parsed = parse_number(node.scalar);
  if (parsed && parsed->exponent) return not_a("not a frequency", node, expected, exponent_advice(node.scalar, "u"));
  if (!parsed) return not_a("not a frequency", node, expected);
  Frequency read{.amount = parsed->value * thousands(parsed->rest)};
  if (parsed->rest == "t") read.unit = Frequency::Unit::kTokens;
  if (parsed->rest == "e") read.unit = Frequency::Unit::kEpochs;
  if (!parsed->rest.empty() && parsed->rest != "u" && parsed->rest != "t" && parsed->rest != "e") {
    return not_a("not a frequency", node, expected);
  }
  if (read.amount < 0 || read.amount > 1e15) return not_a("out of range", node, "from 0 (never) to 1e15");
  if (read.unit != Frequency::Unit::kEpochs && read.amount != std::floor(read.amount)) {
    return not_a("not a whole number of " + std::string(read.unit == Frequency::Unit::kTokens ? "tokens" : "updates"), node, expected);
  }
  value = read;
  return std::nullopt;
}

std::string frequency_text(const Frequency& f) {
  if (f.unit == Frequency::Unit::kEpochs) return fmt::format("{}e", f.amount);
  return whole_text(f.amount) + (f.unit == Frequency::Unit::kTokens ? "t" : "u");
}

}  // namespace weft
