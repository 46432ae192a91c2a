#include "launcher/input/options.h"

#include <algorithm>

#include <CLI/CLI.hpp>

#include "launcher/input/problem.h"
#include "launcher/input/unexpanded_path.h"
#include "runtime/error.h"

namespace weft {
namespace {

std::string refuse_unexpanded(const std::string& path) {
  const std::optional<std::string> expanded = expanded_form(path);
  return expanded ? problem_text({.what = "a path that is not expanded here", .found = path, .expected = *expanded}) : "";
}

}  // namespace

Options::Options(const std::string& verb, const std::string& summary)
    : verb_(verb), app_(std::make_unique<CLI::App>("weft " + verb + ": " + summary, "weft " + verb)) {
  app_->allow_extras();
}

Options::~Options() = default;

void Options::flag(const std::string& name, bool& value, const std::string& help) {
  app_->add_flag(name, value, help);
}

void Options::text(const std::string& name, std::string& value, const std::string& type, const std::string& help) {
  app_->add_option(name, value, help)->type_name(type);
}

void Options::texts(const std::string& name, std::vector<std::string>& values, const std::string& type, const std::string& help,
                    char delimiter) {
  app_->add_option(name, values, help)->type_name(type)->delimiter(delimiter);
}

void Options::path(const std::string& name, std::string& value, const std::string& type, const std::string& help) {
  app_->add_option(name, value, help)->check(refuse_unexpanded)->type_name(type);
}

void Options::paths(const std::string& name, std::vector<std::string>& values, const std::string& type, const std::string& help) {
  app_->add_option(name, values, help)->check(refuse_unexpanded)->type_name(type);
}

void Options::whole(const std::string& name, int& value, int least, int most, const std::string& type, const std::string& help) {
  app_->add_option(name, value, help)->type_name(type)->check(CLI::Range(least, most));
}

void Options::positive(const std::string& name, double& value, const std::string& type, const std::string& help) {
  app_->add_option(name, value, help)->type_name(type)->check(CLI::PositiveNumber);
}

void Options::command(std::vector<std::string>& words, const std::string& help) {
  app_->footer(help);
  command_ = &words;
}

std::optional<std::string> Options::parse(std::span<const std::string> words) {
  const auto end = command_ == nullptr ? words.end() : std::find(words.begin(), words.end(), "--");
  if (end != words.end()) command_->assign(end + 1, words.end());
  std::vector<std::string> reversed(std::make_reverse_iterator(end), words.rend());  // the order CLI11 wants
  try {
    app_->parse(reversed);
  } catch (const CLI::CallForHelp&) {
    return app_->help();
  } catch (const CLI::ParseError& error) {
    fail_input(verb_ + ": " + error.what());
  }
  if (const auto extra = app_->remaining(); !extra.empty()) refuse(extra.front());
  return std::nullopt;
}

void Options::refuse(const std::string& given) const {
  std::vector<std::string> names;
  for (const CLI::Option* option : std::as_const(*app_).get_options()) {
    for (const std::string& name : option->get_lnames()) names.push_back("--" + name);
  }
  const std::string name = given.substr(0, given.find('='));
  if (std::ranges::count(later_, name) > 0) fail_input(verb_ + " " + name + ": not supported yet");
  fail_input(problem_text({.what = name.starts_with("-") ? "unknown option of " + verb_ : "unexpected argument of " + verb_,
                           .found = given,
                           .expected = "weft " + verb_ + " --help lists what there is",
                           .nearest = nearest_name(name, names).value_or("")}));
}

}  // namespace weft
