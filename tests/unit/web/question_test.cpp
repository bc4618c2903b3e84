// SPDX-License-Identifier: BSD-3-Clause
// From a path and a query to what the CLI would ask.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

#include "control/serve/role.hpp"
#include "control/web/question.hpp"

namespace sekisho::web {
namespace {

constexpr const char* explain = "/api/v1/explain";

std::string error_of(std::string_view query) {
  const auto question = read_question(explain, query);
  return question ? "none: " + question->request.dump() : question.error();
}

TEST(Question, WhatIsShown) {
  EXPECT_EQ(read_question("/api/v1/next-hops", "")->request,
            (Json{{"command", "show"}, {"what", "next-hops"}}));
  EXPECT_EQ(read_question("/api/v1/state", "all=1")->request, (Json{{"command", "show"}, {"what", "state"}}));
  for (const auto* path : {"/api/v1/", "/api/v1/config", "/api/v1/reload", "/api/v2/state", "state", "/"}) {
    EXPECT_FALSE(read_question(path, "")) << path;
  }
}

TEST(Question, NoneChangesAnything) {
  for (const auto& path : question_paths()) {
    const auto question = read_question(path, "from=10.0.0.1&to=10.0.0.2");
    ASSERT_TRUE(question) << path;
    EXPECT_TRUE(serve::only_reads(question->request)) << path;
  }
}

TEST(Question, Explain) {
  const auto question = read_question(
      explain, "from=172.16.0.10&to=1.1.1.1&port=lan&protocol=tcp&source_port=40000&destination_port=443");
  ASSERT_TRUE(question) << question.error();
  EXPECT_EQ(question->request, (Json{{"command", "explain"},
                                     {"source", "172.16.0.10"},
                                     {"destination", "1.1.1.1"},
                                     {"port", "lan"},
                                     {"protocol", "tcp"},
                                     {"source_port", 40000},
                                     {"destination_port", 443}}));
  EXPECT_EQ(question->fresh.count(), 0) << "nobody gets another's answer";
}

TEST(Question, AFieldThatNobodyFilledInIsNotAsked) {
  const auto question = read_question(explain, "from=1.1.1.1&to=2.2.2.2&port=&source_port=&");
  ASSERT_TRUE(question) << question.error();
  EXPECT_EQ(question->request.size(), 3U) << question->request;
}

TEST(Question, Encoded) {
  EXPECT_EQ(read_question(explain, "from=1%2E1.1.1&to=2.2.2.2&port=a%20b+%26c")->request["port"], "a b &c");
  for (const auto* query : {"from=%", "from=%2", "from=%zz", "from=%+1", "from=1.1.1.1&to=%2"}) {
    EXPECT_THAT(error_of(query), testing::HasSubstr("is no part of a query")) << query;
  }
}

TEST(Question, RefusalsSayWhy) {
  EXPECT_THAT(error_of(""), testing::HasSubstr("\"from\" and \"to\" are needed"));
  EXPECT_THAT(error_of("from=1.1.1.1"), testing::HasSubstr("\"from\" and \"to\" are needed"));
  EXPECT_EQ(error_of("from=1.1.1.1&too=2.2.2.2"), "there is no \"too\" to explain by; did you mean \"to\"?");
  EXPECT_EQ(error_of("command=reload"), "there is no \"command\" to explain by");
  EXPECT_EQ(error_of("from=1.1.1.1&to=2.2.2.2&source_port=many"), "source_port is no number: \"many\"");
  EXPECT_EQ(error_of("from=1.1.1.1&to=2.2.2.2&source_port=99999999999999999999"),
            "source_port is no number: \"99999999999999999999\"");
}

}  // namespace
}  // namespace sekisho::web
