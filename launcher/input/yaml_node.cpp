#include "launcher/input/yaml_node.h"

#include <algorithm>
#include <array>
#include <sstream>

#include <yaml-cpp/eventhandler.h>
#include <yaml-cpp/exceptions.h>
#include <yaml-cpp/parser.h>

namespace weft {
namespace {

constexpr std::size_t kMaxBytes = 1 << 20, kMaxDepth = 20, kMaxNodes = 10000;

/// Leaves the parser; becomes a Problem in parse_yaml.
struct Refused {
  YAML::Mark mark;
  std::string what;
};

/// Builds the tree from the events of yaml-cpp, which tell a quoted scalar from a plain one by its tag: "!" or "?".
class TreeBuilder : public YAML::EventHandler {
 public:
  explicit TreeBuilder(std::string file) : file_(std::move(file)) {}

  YamlNode take() { return std::move(root_); }
  const std::optional<YAML::Mark>& last_quote() const { return last_quote_; }

  void OnDocumentStart(const YAML::Mark&) override {}
  void OnDocumentEnd() override {}
  void OnNull(const YAML::Mark& mark, YAML::anchor_t anchor) override { add(leaf(mark, YamlNode::Kind::kNull), mark, anchor); }
  void OnAlias(const YAML::Mark& mark, YAML::anchor_t anchor) override {
    // An alias inside its own anchor is not known yet: refused as well, since the tree would have no end.
    if (anchor == 0 || anchor > anchors_.size() || !anchors_[anchor - 1].closed) throw Refused{mark, "unknown alias"};
    YamlNode copy = anchors_[anchor - 1].node;
    nodes_ += anchors_[anchor - 1].nodes;
    if (nodes_ > kMaxNodes) throw Refused{mark, "aliases expand to more than 10,000 values"};
    copy.at = location(mark);
    attach(std::move(copy));
  }
  void OnScalar(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor, const std::string& value) override {
    refuse_tag(mark, tag);
    YamlNode node = leaf(mark, YamlNode::Kind::kScalar);
    node.scalar = value;
    node.quoted = tag == "!";
    if (node.quoted) last_quote_ = mark;
    add(std::move(node), mark, anchor);
  }
  void OnSequenceStart(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor, YAML::EmitterStyle::value) override {
    open(mark, tag, anchor, YamlNode::Kind::kList);
  }
  void OnSequenceEnd() override { close(); }
  void OnMapStart(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor, YAML::EmitterStyle::value) override {
    open(mark, tag, anchor, YamlNode::Kind::kMap);
  }
  void OnMapEnd() override { close(); }

 private:
  struct Anchor {
    YamlNode node;
    std::size_t nodes = 0;
    bool closed = false;
  };
  struct Open {
    YamlNode node;
    YAML::anchor_t anchor;
    std::size_t nodes_before;
  };

  Location location(const YAML::Mark& mark) const { return {file_, mark.line + 1, mark.column + 1}; }
  YamlNode leaf(const YAML::Mark& mark, YamlNode::Kind kind) const { return {.kind = kind, .at = location(mark)}; }
  static void refuse_tag(const YAML::Mark& mark, const std::string& tag) {
    if (!tag.empty() && tag != "?" && tag != "!") throw Refused{mark, "tags are not used here"};
  }
  void count(const YAML::Mark& mark) {
    if (++nodes_ > kMaxNodes) throw Refused{mark, "more than 10,000 values"};
  }
  void remember(YAML::anchor_t anchor, const YamlNode& node, std::size_t nodes) {
    if (anchor == 0) return;
    if (anchors_.size() < anchor) anchors_.resize(anchor);
    anchors_[anchor - 1] = {node, nodes, true};
  }
  void add(YamlNode node, const YAML::Mark& mark, YAML::anchor_t anchor) {
    count(mark);
    remember(anchor, node, 1);
    attach(std::move(node));
  }
  void open(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor, YamlNode::Kind kind) {
    refuse_tag(mark, tag);
    count(mark);
    if (open_.size() >= kMaxDepth) throw Refused{mark, "nested deeper than 20"};
    open_.push_back({leaf(mark, kind), anchor, nodes_ - 1});
  }
  void close() {
    Open done = std::move(open_.back());
    open_.pop_back();
    remember(done.anchor, done.node, nodes_ - done.nodes_before);
    attach(std::move(done.node));
  }
  void attach(YamlNode node) {
    if (open_.empty()) {
      root_ = std::move(node);
      return;
    }
    YamlNode& parent = open_.back().node;
    const bool is_key = parent.kind == YamlNode::Kind::kMap && parent.keys.size() == parent.items.size();
    (is_key ? parent.keys : parent.items).push_back(std::move(node));
  }

  std::string file_;
  YamlNode root_;
  std::vector<Open> open_;
  std::vector<Anchor> anchors_;
  std::size_t nodes_ = 0;
  std::optional<YAML::Mark> last_quote_;
};

/// Whether the quoted scalar at `mark` ends before the text does; yaml-cpp 0.7 takes the end of the text for the closing quote.
bool quote_closes(const std::string& text, const YAML::Mark& mark) {
  std::size_t at = 0;
  for (int line = 0; line < mark.line; ++line) at = std::min(text.find('\n', at), text.size() - 1) + 1;
  at += static_cast<std::size_t>(mark.column);
  if (at >= text.size() || (text[at] != '"' && text[at] != '\'')) return true;  // not where it was thought to be: a byte order mark
  const char quote = text[at];
  for (++at; at < text.size(); ++at) {
    const bool escape = quote == '"' ? text[at] == '\\' : text.compare(at, 2, "''") == 0;
    if (escape) {
      ++at;
    } else if (text[at] == quote) {
      return true;
    }
  }
  return false;
}

std::string line_of(const std::string& text, int line) {
  std::istringstream in(text);
  std::string found;
  for (int i = 0; i < line; ++i) {
    if (!std::getline(in, found)) return {};
  }
  const std::size_t begin = found.find_first_not_of(" \t");
  return begin == std::string::npos ? std::string{} : found.substr(begin, found.find_last_not_of(" \t\r") - begin + 1).substr(0, 80);
}

std::optional<Problem> indentation_tab(const std::string& text, const std::string& file) {
  std::istringstream in(text);
  std::string line;
  for (int number = 1; std::getline(in, line); ++number) {
    const std::size_t column = line.find_first_not_of(' ');
    if (column != std::string::npos && line[column] == '\t' && line.find_first_not_of(" \t\r") != std::string::npos) {
      return Problem{
          .at = {file, number, static_cast<int>(column) + 1}, .what = "not valid YAML: a tab in the indentation", .expected = "spaces"};
    }
  }
  return std::nullopt;
}

}  // namespace

std::string_view YamlNode::kind_name() const {
  constexpr std::array<std::string_view, 4> kNames{"nothing", "a value", "a list", "a map"};
  return kNames.at(static_cast<std::size_t>(kind));  // in the order of Kind
}

std::optional<YamlNode> parse_yaml(const std::string& text, const std::string& file, std::vector<Problem>& problems) {
  if (text.size() > kMaxBytes) {
    problems.push_back({.at = {file}, .what = "larger than 1 MiB", .expected = "a configuration"});
    return std::nullopt;
  }
  if (const auto tab = indentation_tab(text, file)) {
    problems.push_back(*tab);
    return std::nullopt;
  }
  const auto refuse = [&](const YAML::Mark& mark, const std::string& what) {
    problems.push_back({.at = {file, mark.line + 1, mark.column + 1}, .what = what, .found = line_of(text, mark.line + 1)});
    return std::nullopt;
  };
  try {
    std::istringstream in(text);
    YAML::Parser parser(in);
    TreeBuilder builder(file);
    if (!parser.HandleNextDocument(builder)) return YamlNode{.at = {file, 1, 1}};
    if (builder.last_quote() && !quote_closes(text, *builder.last_quote())) {
      return refuse(*builder.last_quote(), "not valid YAML: a quote that is not closed");
    }
    YamlNode root = builder.take();
    TreeBuilder second(file);
    if (parser.HandleNextDocument(second)) {
      problems.push_back({.at = second.take().at, .what = "a second document in one file", .expected = "one, without ---"});
      return std::nullopt;
    }
    return root;
  } catch (const Refused& refused) {
    return refuse(refused.mark, refused.what);
  } catch (const YAML::ParserException& error) {
    return refuse(error.mark, "not valid YAML: " + error.msg);
  }
}

}  // namespace weft
