#pragma once
#include <functional>
#include <limits>
#include <map>
#include <optional>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

#include "launcher/config/config.h"
#include "launcher/input/yaml_node.h"

namespace weft {

/// What another value means for a run that resumes. kNone: frequencies, limits, paths, decoding, and what the manifest records by itself
/// (layout, number format). kEnd: other numbers, where the learning rate falls towards the end of the run.
enum class Change { kNone, kNumbers, kModel, kEnd };

/// One key of the configuration. The parser, --dump-config, the nearest name and the key reference all read it from here.
struct Key {
  std::string name;
  std::string values;  // what it takes, in words: "a whole number, at least 1"
  std::string help;
  bool built = true;  // else only its default is taken, and the reference leaves it out
  /// Stores the value; or says what is wrong, with `at` and `path` only where they are not the key's own.
  std::function<std::optional<Problem>(const YamlNode&, Config&)> read;
  std::function<std::string(const Config&)> write;             // as YAML on one line
  std::function<void(Config&, const Config&)> copy = nullptr;  // what null does: takes the value of another configuration
  std::optional<Change> change = std::nullopt;                 // that of the section, unless the key has its own
};

struct Section {
  std::string name;  // empty: the keys above the sections
  std::string help;
  Change change = Change::kNone;  // of the keys that have none of their own
  std::vector<Key> keys;
};

Key on_change(Change, Key);
/// Of those that have none yet.
std::vector<Key> on_change(Change, std::vector<Key>);

/// All sections in the order of the reference.
const std::vector<Section>& sections();
/// Names that are kept free and refused as "not supported yet", as section.key; such a section's name alone counts too.
const std::vector<std::string>& reserved_keys();

struct Whole {
  std::int64_t least = std::numeric_limits<std::int64_t>::min();
  std::int64_t most = 1'000'000'000'000'000;
  bool suffix = false;  // K, M, G for thousands

  std::string words() const;
};

struct Real {
  double least = 0, most = std::numeric_limits<double>::infinity();
  bool above = false, below = false;  // the ends themselves are left out

  std::string words() const;
};

using ReadResult = std::optional<Problem>;
ReadResult read_whole(const YamlNode&, const Whole&, std::int64_t& value);
ReadResult read_real(const YamlNode&, const Real&, double& value);
ReadResult read_frequency(const YamlNode&, Frequency& value);
ReadResult read_bool(const YamlNode&, bool& value);
/// Any scalar, quoted or not; not empty.
ReadResult read_text(const YamlNode&, std::string& value);
/// As read_text, of a path; one that only a shell would expand is refused with its expanded form.
ReadResult read_path(const YamlNode&, std::string& value);
std::string frequency_text(const Frequency&);
Problem not_a(std::string what, const YamlNode& found, std::string expected, std::string nearest = {});
Problem not_supported_yet(const YamlNode& found, std::string expected);

auto& member_of(auto& object, auto member) {
  return object.*member;
}
auto& member_of(auto& object, auto member, auto... deeper) {
  return member_of(object.*member, deeper...);
}

/// in(&Config::training, &TrainingConfig::limits)(&LimitsConfig::train_steps): the `member` of a key, below.
auto in(auto... sections) {
  return [=](auto member) {
    return [=](auto& config) -> auto& {
      return member_of(config, sections..., member);
    };
  };
}

/// A key whose value is a member: `member` maps a configuration, const or not, to a reference.
template <class Member, class Read, class Write>
Key member_key(std::string name, std::string values, std::string help, Member member, Read read, Write write) {
  return {.name = std::move(name),
          .values = std::move(values),
          .help = std::move(help),
          .read = [=](const YamlNode& node, Config& config) -> ReadResult { return read(node, member(config)); },
          .write = [=](const Config& config) -> std::string { return write(member(config)); },
          .copy = [=](Config& to, const Config& from) { member(to) = member(from); }};
}

/// Integers that fit their member: `range` must lie inside its type.
template <class Member>
Key whole(std::string name, Member member, Whole range, std::string help) {
  return member_key(
      std::move(name), range.words(), std::move(help), member,
      [range](const YamlNode& node, auto& value) -> ReadResult {
        std::int64_t wide = 0;
        if (auto problem = read_whole(node, range, wide)) return problem;
        value = static_cast<std::remove_reference_t<decltype(value)>>(wide);
        return std::nullopt;
      },
      [](auto value) { return std::to_string(value); });
}

/// As whole, but 0 in the struct stands for a word in the file: null, auto.
template <class Member>
Key whole_or(std::string word, std::string name, Member member, Whole range, std::string help) {
  Key key = whole(std::move(name), member, range, std::move(help));
  key.values = word + ", or " + key.values;
  key.read = [word, member, range_read = key.read](const YamlNode& node, Config& config) -> ReadResult {
    if (!node.plain(word)) return range_read(node, config);
    member(config) = 0;
    return std::nullopt;
  };
  key.write = [word, member](const Config& config) { return member(config) == 0 ? word : std::to_string(member(config)); };
  return key;
}

std::string real_text(double);

template <class Member>
Key real(std::string name, Member member, Real range, std::string help) {
  return member_key(
      std::move(name), range.words(), std::move(help), member,
      [range](const YamlNode& node, double& value) { return read_real(node, range, value); }, real_text);
}

/// 0 in the struct is null in the file.
template <class Member>
Key real_or_null(std::string name, Member member, Real range, std::string help) {
  Key key = real(std::move(name), member, range, std::move(help));
  key.values = "null, or " + key.values;
  key.write = [member](const Config& config) { return member(config) == 0 ? std::string("null") : real_text(member(config)); };
  return key;
}

template <class Member>
Key boolean(std::string name, Member member, std::string help) {
  return member_key(std::move(name), "true or false", std::move(help), member, read_bool,
                    [](bool value) { return std::string(value ? "true" : "false"); });
}

/// Empty in the struct is null in the file.
template <class Member>
Key text(std::string name, Member member, std::string values, std::string help,
         ReadResult (*read)(const YamlNode&, std::string&) = read_text) {
  return member_key(std::move(name), std::move(values), std::move(help), member, read,
                    [](const std::string& value) { return value.empty() ? std::string("null") : yaml_scalar(value); });
}

template <class Member>
Key path(std::string name, Member member, std::string values, std::string help) {
  return text(std::move(name), member, std::move(values), std::move(help), read_path);
}

template <class Member>
Key frequency(std::string name, Member member, std::string help) {
  return member_key(std::move(name), "a number with K, M or G if wanted, and u (updates), t (target tokens) or e (epochs); 0: never",
                    std::move(help), member, read_frequency, frequency_text);
}

/// The words a choice takes, in the order of the reference.
std::string one_of(const std::vector<std::string>& words);
/// What is wrong with a word that is none of `words`; those of `later` are not supported yet.
Problem wrong_word(const YamlNode&, const std::vector<std::string>& words, const std::vector<std::string>& later);

template <class Member>
using ValueOf = std::remove_cvref_t<std::invoke_result_t<Member, Config&>>;

template <class Member>
Key choice(std::string name, Member member, std::vector<std::pair<std::string, ValueOf<Member>>> choices, std::vector<std::string> later,
           std::string help) {
  std::vector<std::string> words;
  for (const auto& [word, value] : choices) words.push_back(word);
  return member_key(
      std::move(name), one_of(words), std::move(help), member,
      [=](const YamlNode& node, auto& value) -> ReadResult {
        for (const auto& [word, chosen] : choices) {
          if (node.kind != YamlNode::Kind::kScalar || node.scalar != word) continue;
          value = chosen;
          return std::nullopt;
        }
        return wrong_word(node, words, later);
      },
      [=](const auto& value) {
        for (const auto& [word, chosen] : choices) {
          if (value == chosen) return word;
        }
        return std::string("null");
      });
}

/// A key of which only one value is built. `later`: the other words it will take; empty: any other value is "not supported yet".
Key fixed(std::string name, std::string value, std::vector<std::string> later, std::string help);

}  // namespace weft
