#pragma once
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

namespace weft {

/// A JSON value: null, bool, integer (int64), double, string, array, object. Objects keep the order in which their members were added.
/// What is read from outside is never trusted: `parse` has limits, and every accessor checks the kind and fails with exit 64, saying what
/// was expected and what was found.
class Json {
 public:
  struct Member;
  using Array = std::vector<Json>;
  using Object = std::vector<Member>;
  struct Limits {
    std::int64_t bytes = std::int64_t{64} << 20;
    int depth = 64;
    std::int64_t values = 4'000'000;  // of every kind, so that short text cannot ask for much memory
  };

  Json() = default;
  Json(bool value);
  Json(int value);
  Json(std::int64_t value);
  Json(double value);
  Json(const char* value);
  Json(std::string_view value);
  Json(std::string value);
  Json(Array value);
  Json(Object value);
  static Json array();
  static Json object();

  /// Fails (exit 64, naming `where` and the position) on anything but one complete value within the limits: bad syntax, bad UTF-8, an
  /// integer beyond int64, a duplicate key, anything after the value.
  static Json parse(std::string_view text, const Limits&, std::string_view where);
  static Json parse(std::string_view text, std::string_view where);
  /// indent 0: one line. A double is written with the fewest digits that give the same bits again, always with a point or exponent;
  /// NaN and infinities as the strings "NaN", "Infinity", "-Infinity", which as_double() reads.
  std::string dump(int indent = 0) const;

  bool is_null() const { return std::holds_alternative<std::monostate>(value_); }
  bool is_bool() const { return std::holds_alternative<bool>(value_); }
  bool is_int() const { return std::holds_alternative<std::int64_t>(value_); }
  bool is_double() const { return std::holds_alternative<double>(value_); }
  bool is_string() const { return std::holds_alternative<std::string>(value_); }
  bool is_array() const { return std::holds_alternative<Array>(value_); }
  bool is_object() const { return std::holds_alternative<Object>(value_); }
  std::string_view kind() const;  // "an integer", "a string", ...

  bool as_bool() const;
  std::int64_t as_int() const;
  double as_double() const;  // also of an integer
  const std::string& as_string() const;
  const Array& as_array() const;
  const Object& as_object() const;

  /// The member `key` of an object; fails when this is no object or has no such member.
  const Json& at(std::string_view key) const;
  /// The same, or nullptr where there is no such member.
  const Json* find(std::string_view key) const;
  /// Replaces or appends the member `key`; null becomes an object first.
  Json& set(std::string_view key, Json value);
  /// Appends to an array; null becomes an array first.
  void push_back(Json value);

  friend bool operator==(const Json& a, const Json& b);

 private:
  template <class T>
  const T& as(std::string_view kind_name) const;

  std::variant<std::monostate, bool, std::int64_t, double, std::string, Array, Object> value_;
};

struct Json::Member {
  std::string key;
  Json value;
  friend bool operator==(const Member& a, const Member& b) { return a.key == b.key && a.value == b.value; }
};

// Down here, where a member is a complete type.
inline Json::Json(bool value) : value_(value) {}
inline Json::Json(int value) : value_(std::int64_t{value}) {}
inline Json::Json(std::int64_t value) : value_(value) {}
inline Json::Json(double value) : value_(value) {}
inline Json::Json(const char* value) : value_(std::string(value)) {}
inline Json::Json(std::string_view value) : value_(std::string(value)) {}
inline Json::Json(std::string value) : value_(std::move(value)) {}
inline Json::Json(Array value) : value_(std::move(value)) {}
inline Json::Json(Object value) : value_(std::move(value)) {}
inline bool operator==(const Json& a, const Json& b) {
  return a.value_ == b.value_;
}
inline Json Json::parse(std::string_view text, std::string_view where) {
  return parse(text, Limits{}, where);
}
inline Json Json::array() {
  return Json(Array{});
}
inline Json Json::object() {
  return Json(Object{});
}

}  // namespace weft
