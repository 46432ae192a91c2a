// docs/reference.md, made from the tables that the parser uses: build/release/tests/launcher/print_reference > docs/reference.md
#include <fmt/format.h>

#include "launcher/config/config.h"
#include "launcher/verbs.h"

int main() {
  fmt::print("# Every key and verb\n\nMade from the tables that the parser uses, by `print_reference`; a test compares.\n\n## Verbs\n\n");
  for (const weft::Verb& verb : weft::verbs()) fmt::print("- `{}`: {}\n", verb.name, verb.summary);
  fmt::print("\n{}", weft::key_reference());
}
