#pragma once
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

namespace CLI {
class App;
class Option;
}  // namespace CLI

namespace weft {

/// The options of one verb. The verb binds each to a member of its own struct, which holds the default. `type` is how --help shows the
/// value (FILE, N), `help` what it says.
class Options {
 public:
  Options(const std::string& verb, const std::string& summary);
  ~Options();
  Options(const Options&) = delete;
  Options& operator=(const Options&) = delete;

  void flag(const std::string& name, bool& value, const std::string& help);
  void text(const std::string& name, std::string& value, const std::string& type, const std::string& help);
  /// One or more, as words of their own; with `delimiter` also within a word.
  void texts(const std::string& name, std::vector<std::string>& values, const std::string& type, const std::string& help,
             char delimiter = '\0');
  /// A path that only a shell would expand is refused with its expanded form. A name without dashes is an argument.
  void path(const std::string& name, std::string& value, const std::string& type, const std::string& help);
  void paths(const std::string& name, std::vector<std::string>& values, const std::string& type, const std::string& help);
  void whole(const std::string& name, int& value, int least, int most, const std::string& type, const std::string& help);
  void positive(const std::string& name, double& value, const std::string& type, const std::string& help);
  /// The words after `--`.
  void command(std::vector<std::string>& words, const std::string& help);
  /// A name that is kept free and refused as "not supported yet".
  void later(const std::string& name) { later_.push_back(name); }

  /// Reads the words after the verb. Returns the help text where they ask for it; throws Error kBadInput with the nearest option.
  std::optional<std::string> parse(std::span<const std::string> words);

 private:
  [[noreturn]] void refuse(const std::string& given) const;

  std::string verb_;
  std::unique_ptr<CLI::App> app_;
  std::vector<std::string>* command_ = nullptr;
  std::vector<std::string> later_;
};

}  // namespace weft
