#include "runtime/files/json.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <limits>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "runtime/error.h"

namespace weft {
namespace {

/// Builds a Json from nlohmann's events. Containers under construction lie on a stack, so that nothing recurses.
class Builder : public nlohmann::json_sax<nlohmann::json> {
 public:
  Builder(const Json::Limits& limits, std::string_view where) : limits_(limits), where_(where) {}
  Json take() { return std::move(root_); }

  bool null() override { return add(Json()); }
  bool boolean(bool value) override { return add(Json(value)); }
  bool number_integer(number_integer_t value) override { return add(Json(std::int64_t{value})); }
  bool number_unsigned(number_unsigned_t value) override {
    if (value > static_cast<std::uint64_t>(std::numeric_limits<std::int64_t>::max())) {
      fail_input(fmt::format("{}: integer {} does not fit into 64 bits with sign", where_, value));
    }
    return add(Json(static_cast<std::int64_t>(value)));
  }
  bool number_float(number_float_t value, const string_t& text) override {
    // An integer that is too long for 64 bits arrives here: it must not turn into a nearby double in silence.
    if (text.find_first_of(".eE") == string_t::npos) {
      fail_input(fmt::format("{}: integer {} does not fit into 64 bits with sign", where_, text.substr(0, 40)));
    }
    return add(Json(value));
  }
  bool string(string_t& value) override { return add(Json(std::move(value))); }
  bool binary(binary_t&) override { return false; }
  bool start_object(std::size_t) override { return open(true); }
  bool start_array(std::size_t) override { return open(false); }
  bool key(string_t& value) override {
    stack_.back().key = std::move(value);
    return true;
  }
  bool end_object() override {
    refuse_duplicate_keys(stack_.back().members);
    return close(Json(std::move(stack_.back().members)));
  }
  bool end_array() override { return close(Json(std::move(stack_.back().elements))); }
  bool parse_error(std::size_t position, const std::string&, const nlohmann::detail::exception& error) override {
    // nlohmann's text is "[json.exception...] parse error at line 1, column 5: syntax error ...": the prefix says nothing to a user.
    std::string_view text = error.what();
    if (const auto end = text.find("] "); end != std::string_view::npos) text.remove_prefix(end + 2);
    fail_input(fmt::format("{}: byte {}: {}", where_, position, text.substr(0, 300)));
  }

 private:
  struct Open {
    bool is_object;
    Json::Object members;
    Json::Array elements;
    std::string key;  // of the member being read
  };

  void count() {
    if (++values_ > limits_.values) fail_input(fmt::format("{}: more than {} values", where_, limits_.values));
  }
  bool open(bool is_object) {
    count();
    if (static_cast<int>(stack_.size()) >= limits_.depth) fail_input(fmt::format("{}: nested deeper than {}", where_, limits_.depth));
    stack_.push_back({is_object, {}, {}, {}});
    return true;
  }
  bool close(Json value) {
    stack_.pop_back();
    attach(std::move(value));
    return true;
  }
  bool add(Json value) {
    count();
    attach(std::move(value));
    return true;
  }
  void attach(Json value) {
    if (stack_.empty()) {
      root_ = std::move(value);
    } else if (Open& top = stack_.back(); top.is_object) {
      top.members.push_back({std::move(top.key), std::move(value)});
    } else {
      top.elements.push_back(std::move(value));
    }
  }
  void refuse_duplicate_keys(const Json::Object& members) const {
    std::vector<std::string_view> keys;
    keys.reserve(members.size());
    for (const Json::Member& member : members) keys.push_back(member.key);
    std::sort(keys.begin(), keys.end());
    const auto twice = std::adjacent_find(keys.begin(), keys.end());
    if (twice != keys.end()) fail_input(fmt::format("{}: duplicate key \"{}\"", where_, *twice));
  }

  const Json::Limits& limits_;
  std::string_view where_;
  std::vector<Open> stack_;
  Json root_;
  std::int64_t values_ = 0;
};

void append_string(std::string& out, std::string_view text) {
  constexpr std::string_view kEscaped = "\"\\\n\t\r", kLetters = "\"\\ntr";
  out += '"';
  for (const char c : text) {
    if (const std::size_t escape = kEscaped.find(c); escape != std::string_view::npos) {
      out += {'\\', kLetters[escape]};
    } else if (static_cast<unsigned char>(c) < 0x20) {
      out += fmt::format("\\u{:04x}", static_cast<unsigned char>(c));
    } else {
      out += c;
    }
  }
  out += '"';
}

void append_double(std::string& out, double value) {
  if (!std::isfinite(value)) {
    out += std::isnan(value) ? "\"NaN\"" : value > 0 ? "\"Infinity\"" : "\"-Infinity\"";
    return;
  }
  std::array<char, 32> digits;
  const auto end = std::to_chars(digits.data(), digits.data() + digits.size(), value).ptr;
  const std::string_view text(digits.data(), static_cast<std::size_t>(end - digits.data()));
  out += text;
  if (text.find_first_of(".e") == std::string_view::npos) out += ".0";  // it stays a double when it is read again
}

struct Layout {
  int indent;  // of each level; 0: all on one line
  int depth;

  void break_line(std::string& out, int level) const {
    if (indent > 0) out.append("\n").append(static_cast<std::size_t>(indent * level), ' ');
  }
};

/// The items of an array or an object between its brackets.
template <class Items, class Append>
void append_items(std::string& out, std::string_view brackets, const Items& items, const Layout& layout, const Append& append) {
  out += brackets[0];
  bool first = true;
  for (const auto& item : items) {
    if (!first) out += layout.indent == 0 ? ", " : ",";
    first = false;
    layout.break_line(out, layout.depth + 1);
    append(item);
  }
  if (!first) layout.break_line(out, layout.depth);
  out += brackets[1];
}

void append_value(std::string& out, const Json& value, const Layout& layout) {
  const Layout inside{layout.indent, layout.depth + 1};
  if (value.is_null()) {
    out += "null";
  } else if (value.is_bool()) {
    out += value.as_bool() ? "true" : "false";
  } else if (value.is_int()) {
    out += std::to_string(value.as_int());
  } else if (value.is_double()) {
    append_double(out, value.as_double());
  } else if (value.is_string()) {
    append_string(out, value.as_string());
  } else if (value.is_array()) {
    append_items(out, "[]", value.as_array(), layout, [&](const Json& element) { append_value(out, element, inside); });
  } else {
    append_items(out, "{}", value.as_object(), layout, [&](const Json::Member& member) {
      append_string(out, member.key);
      out += ": ";
      append_value(out, member.value, inside);
    });
  }
}

[[noreturn]] void fail_kind(std::string_view expected, const Json& found) {
  fail_input(fmt::format("json: expected {}, found {}", expected, found.kind()));
}

}  // namespace

Json Json::parse(std::string_view text, const Limits& limits, std::string_view where) {
  if (static_cast<std::int64_t>(text.size()) > limits.bytes) {
    fail_input(fmt::format("{}: {} bytes of JSON, at most {} are read", where, text.size(), limits.bytes));
  }
  Builder builder(limits, where);
  if (!nlohmann::json::sax_parse(text.begin(), text.end(), &builder)) fail_input(fmt::format("{}: not JSON", where));
  return builder.take();
}

std::string Json::dump(int indent) const {
  std::string out;
  append_value(out, *this, {indent, 0});
  return out;
}

std::string_view Json::kind() const {
  constexpr std::array<std::string_view, 7> kKinds{"null", "a bool", "an integer", "a number", "a string", "an array", "an object"};
  return kKinds[value_.index()];
}

template <class T>
const T& Json::as(std::string_view kind_name) const {
  if (!std::holds_alternative<T>(value_)) fail_kind(kind_name, *this);
  return std::get<T>(value_);
}

bool Json::as_bool() const {
  return as<bool>("a bool");
}

std::int64_t Json::as_int() const {
  return as<std::int64_t>("an integer");
}

const std::string& Json::as_string() const {
  return as<std::string>("a string");
}

const Json::Array& Json::as_array() const {
  return as<Array>("an array");
}

const Json::Object& Json::as_object() const {
  return as<Object>("an object");
}

double Json::as_double() const {
  if (is_double()) return std::get<double>(value_);
  if (is_int()) return static_cast<double>(std::get<std::int64_t>(value_));
  const std::string text = is_string() ? as_string() : "";
  if (text == "NaN") return std::numeric_limits<double>::quiet_NaN();
  if (text == "Infinity") return std::numeric_limits<double>::infinity();
  if (text == "-Infinity") return -std::numeric_limits<double>::infinity();
  fail_kind("a number", *this);
}

const Json* Json::find(std::string_view key) const {
  for (const Member& member : as_object()) {
    if (member.key == key) return &member.value;
  }
  return nullptr;
}

const Json& Json::at(std::string_view key) const {
  const Json* value = find(key);
  if (value == nullptr) fail_input(fmt::format("json: expected a member \"{}\"", key));
  return *value;
}

Json& Json::set(std::string_view key, Json value) {
  if (is_null()) value_ = Object{};
  if (!is_object()) fail_kind("an object", *this);
  Object& members = std::get<Object>(value_);
  const auto known = std::find_if(members.begin(), members.end(), [&](const Member& member) { return member.key == key; });
  if (known == members.end()) {
    members.push_back({std::string(key), std::move(value)});
  } else {
    known->value = std::move(value);
  }
  return *this;
}

void Json::push_back(Json value) {
  if (is_null()) value_ = Array{};
  if (!is_array()) fail_kind("an array", *this);
  std::get<Array>(value_).push_back(std::move(value));
}

}  // namespace weft
