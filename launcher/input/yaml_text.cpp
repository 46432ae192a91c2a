#include <fmt/format.h>

#include "launcher/input/yaml_node.h"

namespace weft {
namespace {

bool is_null_or_marker(const std::string& text) {
  return text.empty() || text == "null" || text == "Null" || text == "NULL" || text[0] == '-';
}

std::string in_quotes(const std::string& text) {
  std::string quoted = "\"";
  for (const char c : text) {
    if (c == '"' || c == '\\') {
      quoted += '\\';
      quoted += c;
    } else if (static_cast<unsigned char>(c) < 0x20 || c == 0x7f) {
      quoted += fmt::format("\\x{:02x}", static_cast<unsigned char>(c));
    } else {
      quoted += c;
    }
  }
  return quoted + '"';
}

}  // namespace

std::string yaml_scalar(const std::string& text) {
  const auto is_plain = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' || c == '.' || c == '/' || c == '-' ||
           c == '+' || static_cast<unsigned char>(c) >= 0x80;
  };
  bool plain = !is_null_or_marker(text);
  for (const char c : text) plain = plain && is_plain(c);
  if (plain) return text;
  return in_quotes(text);
}

std::string flow_text(const YamlNode& node) {
  switch (node.kind) {
    case YamlNode::Kind::kNull:
      return "null";
    case YamlNode::Kind::kScalar:
      return node.quoted ? in_quotes(node.scalar) : node.scalar;
    case YamlNode::Kind::kList:
    case YamlNode::Kind::kMap:
      break;
  }
  const bool is_map = node.kind == YamlNode::Kind::kMap;
  std::string text = is_map ? "{" : "[";
  for (std::size_t i = 0; i < node.items.size(); ++i) {
    if (i > 0) text += ", ";
    if (is_map) text += flow_text(node.keys[i]) + ": ";
    text += flow_text(node.items[i]);
  }
  return text + (is_map ? '}' : ']');
}

}  // namespace weft
