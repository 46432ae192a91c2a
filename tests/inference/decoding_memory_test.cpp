#include "inference/decoding_memory.h"

#include <gtest/gtest.h>

#include "inference/alignment.h"
#include "inference/decoding_batch.h"
#include "inference/forced_decoding.h"
#include "inference/search/beam_search.h"
#include "runtime/random.h"
#include "tests/models/model_under_test.h"

namespace weft::test {
namespace {

ModelConfig config() {
  ModelConfig model = small_config({});
  model.max_length = 40;
  return model;
}

/// Sentences of 1 to `longest` tokens.
std::vector<std::vector<std::int32_t>> random_sources(std::int64_t count, std::uint64_t longest, std::uint64_t seed) {
  const RandomKey key = random_key(seed, "sources");
  std::vector<std::vector<std::int32_t>> sources(static_cast<std::size_t>(count));
  for (std::size_t i = 0; i < sources.size(); ++i) {
    for (std::uint64_t t = random_below(key, 100 * i, longest); t > 0; --t) {
      sources[i].push_back(static_cast<std::int32_t>(3 + random_below(key, 100 * i + t, 10)));
    }
    sources[i].push_back(2);
  }
  return sources;
}

/// The most that `run` takes of an arena of `bytes`, over source lists of several lengths.
template <class Run>
std::int64_t largest_peak(ModelUnderTest& tested, std::int64_t bytes, const Run& run) {
  std::int64_t largest = 0;
  for (const std::uint64_t longest : {1, 2, 5, 12, 40}) {
    std::vector<std::byte> memory(static_cast<std::size_t>(bytes) + 64);
    std::byte* aligned = memory.data() + (64 - reinterpret_cast<std::uintptr_t>(memory.data()) % 64) % 64;
    StepArena arena(aligned, bytes);
    Context ctx{tested.ctx.context().device, tested.ctx.context().stream, arena, tested.ctx.context().step_state, false};
    run(ctx, random_sources(200, longest, longest));
    largest = std::max(largest, arena.peak());
  }
  return largest;
}

TEST(DecodingMemoryTest, NoBatchOfRealSentencesNeedsMoreThanTheDryRunSays) {
  ModelUnderTest tested(config(), reference_kernels(), DType::kFloat32);
  for (const int beam_size : {1, 5}) {
    for (const std::int64_t batch_size : {8, 64, 300}) {
      const SearchProblem problem{.generator = *tested.model,
                                  .limits = {.max_length = 40},
                                  .target = {},
                                  .source_vocab_size = tested.config.source_vocab_size,
                                  .beam_size = beam_size,
                                  .batch_size = batch_size};
      const std::int64_t bytes = decoding_memory(problem, reference_kernels(), 40).arena;
      const std::int64_t searching =
          largest_peak(tested, bytes, [&](Context& ctx, const auto& sources) { beam_search(ctx, problem, sources); });
      EXPECT_GE(searching, bytes / 2) << "the bound is not wasteful, batch_size " << batch_size << ", beam " << beam_size;

      const std::int64_t for_scores = scoring_memory(problem, reference_kernels(), 40).arena;
      const std::int64_t scoring =
          largest_peak(tested, for_scores, [&](Context& ctx, const auto& sources) { score_targets(ctx, problem, sources, sources); });
      EXPECT_GE(scoring, for_scores / 2) << "scoring, batch_size " << batch_size;
    }
  }
}

/// A given target may be longer than what may be generated.
TEST(DecodingMemoryTest, NeitherDoTargetsThatAreLongerThanTheSearch) {
  ModelUnderTest tested(config(), reference_kernels(), DType::kFloat32);
  const SearchProblem search{.generator = *tested.model,
                             .limits = {.max_length = 5},
                             .target = {},
                             .source_vocab_size = tested.config.source_vocab_size,
                             .batch_size = 4};
  const std::int64_t bytes = scoring_memory(search, reference_kernels(), 40).arena;
  largest_peak(tested, bytes,
               [&](Context& ctx, const auto& sources) { score_targets(ctx, scoring_problem(search, 40), sources, sources); });
}

TEST(DecodingMemoryTest, LogitsOnTheHostAreCounted) {
  ModelUnderTest tested(config(), reference_kernels(), DType::kFloat32);
  SearchProblem problem{.generator = *tested.model,
                        .limits = {.max_length = 40},
                        .target = {},
                        .source_vocab_size = tested.config.source_vocab_size,
                        .batch_size = 300};
  for (const int beams : {1, 5}) {
    problem.beam_size = beams;
    std::int64_t largest = 0;
    for (const std::uint64_t longest : {1, 2, 5, 12, 40}) {
      for (const SourceBatch& batch : cut_search_batches(problem, random_sources(400, longest, longest))) {
        largest = std::max(largest, host_logits_bytes(problem, static_cast<std::int64_t>(batch.sentences.size()) * beams));
      }
    }
    const std::int64_t planned = decoding_memory(problem, reference_kernels(), 40).host_logits;
    EXPECT_LE(largest, planned);
    EXPECT_GE(largest, planned / 2);
  }
}

TEST(DecodingMemoryTest, NeitherDoesAnAlignmentOfLongOutputs) {
  ModelUnderTest tested(config(), reference_kernels(), DType::kFloat32);
  for (const std::int64_t batch_size : {8, 64, 300}) {
    const SearchProblem problem{.generator = *tested.model,
                                .limits = {.max_length = 40},
                                .target = {},
                                .source_vocab_size = tested.config.source_vocab_size,
                                .batch_size = batch_size,
                                .align = true};
    const std::int64_t bytes = decoding_memory(problem, reference_kernels(), 40).arena;
    const auto targets = random_sources(200, 39, 9);
    largest_peak(tested, bytes, [&](Context& ctx, const auto& sources) { align(ctx, problem, sources, targets); });
    for (const std::size_t length : {1, 7, 40}) {
      const std::vector equally_long(targets.size(), std::vector<std::int32_t>(length, 2));
      largest_peak(tested, bytes, [&](Context& ctx, const auto& sources) { align(ctx, problem, sources, equally_long); });
    }
  }
}

}  // namespace
}  // namespace weft::test
