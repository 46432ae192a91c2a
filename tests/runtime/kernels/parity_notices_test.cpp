#include <algorithm>
#include <cstring>

#include <gtest/gtest.h>

#include "tests/runtime/kernels/broken_kernels.h"
#include "tests/support/kernel_parity.h"

// The checks that compare a table with the reference are worth something only if they see a wrong kernel: here each entry is wrong once.
namespace weft::test {
namespace {

/// The function pointers of a table, as bytes, in order.
std::vector<std::byte> entries(const KernelTable& table) {
  const auto* first = reinterpret_cast<const std::byte*>(&table.matmul);
  const auto* end = reinterpret_cast<const std::byte*>(&table + 1);
  return {first, end};
}

std::size_t count_changed(const KernelTable& table, std::vector<bool>& changed) {
  constexpr std::size_t kPointer = sizeof(void (*)());
  const std::vector<std::byte> mine = entries(table), right_ones = entries(reference_kernels());
  changed.resize(mine.size() / kPointer);
  std::size_t count = 0;
  for (std::size_t i = 0; i < changed.size(); ++i) {
    if (std::memcmp(&mine[i * kPointer], &right_ones[i * kPointer], kPointer) == 0) continue;
    changed[i] = true;
    ++count;
  }
  return count;
}

/// The cases of the entry that is wrong: "matmul_workspace: falls" has those of matmul.
std::vector<ParityCase> cases_of(const BrokenTable& table) {
  std::string entry = table.what.substr(0, table.what.find(':'));
  if (entry.ends_with("_workspace")) entry.resize(entry.size() - std::string_view("_workspace").size());
  std::vector<ParityCase> cases = kernel_parity_cases();
  std::erase_if(cases, [&](const ParityCase& c) { return !c.name.starts_with(entry); });
  return cases;
}

class Broken : public testing::TestWithParam<BrokenTable> {};

TEST_P(Broken, KernelIsNoticed) {
  for (const DType dtype : {DType::kFloat32, DType::kBFloat16, DType::kFloat64}) {
    const auto cases = cases_of(GetParam());
    const bool noticed = std::any_of(cases.begin(), cases.end(), [&](const ParityCase& c) {
      return !(c.error(GetParam().kernels, dtype) < 1);  // NaN is noticed too
    });
    EXPECT_TRUE(noticed) << GetParam().what << " in " << name(dtype);
  }
}

std::string test_name(const testing::TestParamInfo<BrokenTable>& info) {
  std::string name = info.param.what;
  std::replace_if(
      name.begin(), name.end(), [](unsigned char c) { return std::isalnum(c) == 0; }, '_');
  return name;
}

INSTANTIATE_TEST_SUITE_P(Tables, Broken, testing::ValuesIn(broken_tables()), test_name);

TEST(BrokenTables, EveryEntryIsBrokenAtLeastOnceAndOnlyOneAtATime) {
  std::vector<bool> changed;
  for (const BrokenTable& table : broken_tables()) EXPECT_EQ(count_changed(table.kernels, changed), 1u) << table.what;
  // Of most kernels no table has a workspace.
  constexpr std::size_t kPointer = sizeof(void (*)());
  const std::vector<std::byte> slow = entries(reference_kernels()), fast = entries(cpu_kernels(InstructionSet::kAvx2)), none(kPointer);
  const auto is_null = [&](const std::vector<std::byte>& table, std::size_t i) {
    return std::memcmp(&table[i * kPointer], none.data(), kPointer) == 0;
  };
  for (std::size_t i = 0; i < changed.size(); ++i) {
    EXPECT_TRUE(changed[i] || (is_null(slow, i) && is_null(fast, i))) << "entry " << i << " of the kernel table is never broken";
  }
}

TEST(KernelParity, TheReferenceEqualsItselfBitForBit) {
  for (const DType dtype : {DType::kFloat32, DType::kBFloat16, DType::kFloat64}) {
    for (const ParityCase& c : kernel_parity_cases()) EXPECT_EQ(c.error(reference_kernels(), dtype), 0) << c.name;
  }
}

}  // namespace

/// What gtest prints for a parameter.
void PrintTo(const BrokenTable& table, std::ostream* out) {
  *out << table.what;
}

}  // namespace weft::test
