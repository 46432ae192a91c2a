#include "runtime/log.h"

#include <gtest/gtest.h>

namespace weft {
namespace {

/// What `body` makes a log write to stderr, times left out.
template <class Body>
std::string written(const Log::Options& options, const Body& body) {
  testing::internal::CaptureStderr();
  {
    Log log(options);
    body(log);
  }
  std::string text = testing::internal::GetCapturedStderr();
  for (std::size_t at = 0; (at = text.find("[2", at)) != text.npos;) text.erase(at, std::string_view("[2026-11-22 14:01:58] ").size());
  return text;
}

TEST(LogTest, ALineTakesTheStatusLineAwayFirst) {
  const std::string text = written({.terminal = true}, [](Log& log) {
    EXPECT_TRUE(log.shows_status());
    log.status("step 1");
    log.status("step 2");
    log.warn("save", "text");
    log.info("train", "text");
    log.status("step 3");
  });
  EXPECT_EQ(text, "\r\x1b[Kstep 1\r\x1b[Kstep 2\r\x1b[K[save] warning: text\n[train] text\n\r\x1b[Kstep 3\r\x1b[K");
}

TEST(LogTest, WithoutATerminalThereIsNoStatusLine) {
  EXPECT_EQ(written({},
                    [](Log& log) {
                      EXPECT_FALSE(log.shows_status());
                      log.status("step 1");
                    }),
            "");
}

TEST(LogTest, WhatAllRanksSeeAlikeIsSaidOnce) {
  const auto body = [](Log& log) {
    log.warn_once("resume", "of the job");
    log.warn("resume", "of the rank");
    log.info("resume", "text");
  };
  EXPECT_EQ(written({}, body), "[resume] warning: of the job\n[resume] warning: of the rank\n[resume] text\n");
  EXPECT_EQ(written({.quietest = LogLevel::kWarning, .rank = "rank 1 here"}, body), "[rank 1 here] [resume] warning: of the rank\n");
}

}  // namespace
}  // namespace weft
