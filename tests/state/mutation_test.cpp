// 20,000 damaged checkpoints: none is accepted with wrong content, none crashes the reader, the older one is loaded instead.
#include <algorithm>

#include <gtest/gtest.h>

#include "runtime/error.h"
#include "runtime/files/checksum.h"
#include "tests/state/memory_storage.h"
#include "tests/state/small_state.h"

namespace weft {
namespace {

using test::MemoryStorage;
using test::save;
using test::SmallState;

const std::string kOld = "run/step-000000000001/", kNew = "run/step-000000000002/";
const std::vector<std::string> kFiles{"manifest.json", "weights-00000-of-00001.safetensors", "optimizer-00000-of-00001.safetensors"};
const SmallState::Options kSmall{.optimizer = {.kind = OptimizerKind::kSgd}};  // one moment: most of the time goes into manifests

class MutationTest : public testing::Test {
 protected:
  void SetUp() override {
    run_.create_folder(SmallState::kRunDir);
    SmallState state(kSmall);
    Saver saver(state.setup(run_));
    ASSERT_TRUE(save(state, saver, 1));
    ASSERT_TRUE(save(state, saver, 2));
  }
  std::size_t draw(std::size_t bound) { return random_below(key_, draws_++, bound); }
  std::string& any_file(MemoryStorage& storage) { return storage.bytes(kNew + kFiles[draw(kFiles.size())]); }

  /// Changes the manifest's text somewhere; whoever edits it by hand may also give it a fresh checksum.
  void edit_manifest(MemoryStorage& storage, bool with_checksum) {
    std::string& text = storage.bytes(kNew + kFiles[0]);
    const std::string_view mark = ",\n  \"checksum\": \"";
    const std::size_t end = text.rfind(mark);
    constexpr std::string_view kLikely = "0123456789abcdef-.,:[]{}\"";
    const std::size_t place = draw(end);
    switch (draw(4)) {
      case 0:
        text[place] = kLikely[draw(kLikely.size())];
        break;
      case 1:
        text.erase(place, 1 + draw(3));
        break;
      case 2:
        text.insert(place, 1, kLikely[draw(kLikely.size())]);
        break;
      default: {  // another line of the manifest in place of this one
        const std::size_t from = text.find('\n', draw(end / 2)), to = text.find('\n', place);
        const std::string line = text.substr(from, text.find('\n', from + 1) - from);
        text.replace(to, text.find('\n', to + 1) - to, line);
      }
    }
    const std::size_t new_end = text.rfind(mark);
    if (!with_checksum || new_end == std::string::npos) return;
    text = text.substr(0, new_end) + std::string(mark) + checksum(std::string_view(text).substr(0, new_end)).hex() + "\"\n}\n";
  }

  void mutate(MemoryStorage& storage, std::size_t kind) {
    std::string& bytes = any_file(storage);
    switch (kind) {
      case 0:
        bytes[draw(bytes.size())] ^= static_cast<char>(1 << draw(8));
        break;
      case 1:
        bytes.resize(draw(bytes.size()));
        break;
      case 2: {
        const std::size_t begin = draw(bytes.size()) / 512 * 512;
        std::fill_n(bytes.begin() + static_cast<std::ptrdiff_t>(begin), std::min<std::size_t>(512, bytes.size() - begin), '\0');
        break;
      }
      case 3:
        bytes.append(1 + draw(5000), static_cast<char>(draw(256)));
        break;
      case 4:
        bytes = storage.bytes(kOld + kFiles[draw(kFiles.size())]);
        break;
      case 5:
        std::swap(bytes, any_file(storage));
        break;
      case 6:
        storage.remove_file(kNew + kFiles[draw(kFiles.size())]);
        break;
      case 7:
        edit_manifest(storage, false);
        break;
      default:
        edit_manifest(storage, true);
    }
  }

  MemoryStorage run_;
  RandomKey key_ = random_key(20261122, "mutations");
  std::uint64_t draws_ = 0;
};

TEST_F(MutationTest, NoneIsAcceptedWithWrongContent) {
  SmallState loader(kSmall);
  int stepped_back = 0, unchanged = 0, only_words = 0;
  for (int round = 0; round < 20000; ++round) {
    MemoryStorage storage(run_);
    const std::size_t kind = static_cast<std::size_t>(round) % 9;
    mutate(storage, kind);
    bool same = true;
    for (const std::string& file : kFiles) {
      try {
        same = same && storage.bytes(kNew + file) == run_.bytes(kNew + file);
      } catch (const StorageError&) {
        same = false;
      }
    }
    const auto resumed = load_newest(storage, SmallState::kRunDir, loader.control(), loader.log(), loader.target());
    ASSERT_TRUE(resumed) << "round " << round;
    ASSERT_TRUE(loader.is(resumed->step)) << "wrong content was accepted in round " << round;
    if (resumed->step == 1) {
      ASSERT_FALSE(same) << "a whole checkpoint was refused in round " << round;
      ASSERT_EQ(resumed->run_state, SmallState::run_state(1));
      ++stepped_back;
    } else if (same) {
      ++unchanged;
    } else {
      // Only a manifest whose checksum was made anew may pass, and then its tensors are what they were: run state, configuration or
      // white space were edited.
      ASSERT_EQ(kind, 8u) << "round " << round;
      ++only_words;
    }
  }
  EXPECT_GT(stepped_back, 17000);
  EXPECT_LT(unchanged, 2000);
  EXPECT_GT(only_words, 0);
}

}  // namespace
}  // namespace weft
