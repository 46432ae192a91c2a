#pragma once
#include <cstdint>
#include <functional>
#include <vector>

#include "models/generator.h"

namespace weft::test {

/// A generator whose logits are a function of the source and of what was read so far (bos first). It notes how it was called.
class ScriptedGenerator : public Generator {
 public:
  using Tokens = std::vector<std::int32_t>;
  using Script = std::function<void(const Tokens& source, const Tokens& read, std::span<double> logits)>;
  ScriptedGenerator(std::int64_t vocab_size, Script script) : vocab_size_(vocab_size), script_(std::move(script)) {}

  std::int64_t vocab_size() const override { return vocab_size_; }

  std::unique_ptr<DecodeState> start(Context& ctx, const Rows& source, int beams, std::int64_t max_steps) override {
    ctx.memory.saved("cache", {source.sequences, max_steps}, DType::kFloat32);
    auto state = std::make_unique<State>();
    const auto tokens = source.tokens.span<std::int32_t>(), begin = source.begin.span<std::int32_t>();
    for (std::int64_t b = 0; b < source.sequences; ++b) {
      const auto first = tokens.begin() + begin[static_cast<std::size_t>(b)];
      state->live.insert(state->live.end(), static_cast<std::size_t>(beams),
                         {Tokens(first, first + source.length.as<std::int32_t>()[b]), {}});
    }
    batches.push_back(source.sequences);
    return state;
  }

  void step(Context&, DecodeState& decode_state, Tensor tokens, Tensor logits) override {
    auto& live = dynamic_cast<State&>(decode_state).live;
    rows += tokens.size(0);
    for (std::size_t h = 0; h < live.size(); ++h) {
      live[h].read.push_back(tokens.span<std::int32_t>()[h]);
      std::vector<double> row(static_cast<std::size_t>(vocab_size_), -5);
      script_(live[h].source, live[h].read, row);
      for (std::int64_t v = 0; v < vocab_size_; ++v) {
        logits.rows(static_cast<std::int64_t>(h), 1).as<float>()[v] = static_cast<float>(row[static_cast<std::size_t>(v)]);
      }
    }
  }

  void reorder(Context&, DecodeState& decode_state, Tensor parents) override {
    auto& live = dynamic_cast<State&>(decode_state).live;
    std::vector<Hypothesis> next;
    for (const std::int32_t parent : parents.span<std::int32_t>()) next.push_back(live[static_cast<std::size_t>(parent)]);
    live = std::move(next);
  }

  std::vector<std::int64_t> batches;  // sentences of each
  std::int64_t rows = 0;              // hypotheses stepped, over all steps

 private:
  struct Hypothesis {
    Tokens source, read;
  };
  struct State : DecodeState {
    std::vector<Hypothesis> live;
  };
  std::int64_t vocab_size_;
  Script script_;
};

/// Repeats its source, the end token included; bos would be likelier than anything, and unk comes next.
inline void copy_source(const ScriptedGenerator::Tokens& source, const ScriptedGenerator::Tokens& read, std::span<double> logits) {
  logits[1] = 9;
  logits[0] = 8;
  logits[static_cast<std::size_t>(source[std::min(read.size(), source.size()) - 1])] = 7;
}

}  // namespace weft::test
