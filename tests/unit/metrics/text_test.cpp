// SPDX-License-Identifier: BSD-3-Clause
// Both formats, and which of them a scraper gets.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdint>
#include <utility>

#include "control/metrics/accept.hpp"
#include "control/metrics/text.hpp"

namespace sekisho::metrics {
namespace {

using testing::HasSubstr;

TEST(Text, OpenMetricsDescribesFamilies) {
  Text text{Format::openmetrics};
  text.family("a_bytes", Type::counter, "bytes", "Bytes.");
  text.sample({{"port", "lan"}, {"by", "x"}}, std::uint64_t{18446744073709551615ULL});
  text.family("b", Type::info, "", "B.");
  text.sample({{"version", "1"}}, std::uint64_t{1});
  text.family("c_seconds", Type::gauge, "seconds", "C.");
  text.sample({}, 1732234123.25);
  EXPECT_EQ(
      std::move(text).finish(),
      "# TYPE a_bytes counter\n# UNIT a_bytes bytes\n# HELP a_bytes Bytes.\n"
      "a_bytes_total{port=\"lan\",by=\"x\"} 18446744073709551615\n"
      "# TYPE b info\n# HELP b B.\nb_info{version=\"1\"} 1\n"
      "# TYPE c_seconds gauge\n# UNIT c_seconds seconds\n# HELP c_seconds C.\nc_seconds 1732234123.250\n"
      "# EOF\n");
}

TEST(Text, ThePrometheusFormatDescribesSamples) {
  Text text{Format::prometheus};
  text.family("a_bytes", Type::counter, "bytes", "Bytes.");
  text.sample({}, std::uint64_t{3});
  text.family("b", Type::info, "", "B.");
  text.sample({{"version", "1"}}, std::uint64_t{1});
  EXPECT_EQ(std::move(text).finish(),
            "# TYPE a_bytes_total counter\n# HELP a_bytes_total Bytes.\na_bytes_total 3\n"
            "# TYPE b_info gauge\n# HELP b_info B.\nb_info{version=\"1\"} 1\n");
}

TEST(Text, EscapesLabels) {
  Text text{Format::prometheus};
  text.family("a", Type::gauge, "", "A.");
  text.sample({{"name", "a\"b\\c\nd"}}, std::uint64_t{1});
  EXPECT_THAT(std::move(text).finish(), HasSubstr("a{name=\"a\\\"b\\\\c\\nd\"} 1\n"));
}

TEST(Accept, PrefersOpenMetrics) {
  for (const auto* openmetrics :
       {"", "*/*", "text/html,*/*;q=0.8", "application/openmetrics-text; version=1.0.0", "text/plain;q=0",
        "application/openmetrics-text;version=1.0.0,application/openmetrics-text;version=0.0.1;q=0.75,"
        "text/plain;version=0.0.4;q=0.5,*/*;q=0.1",
        "text/plain, application/openmetrics-text", ",,;", ";q=1", "text/plain;q=abc"}) {
    EXPECT_EQ(negotiate(openmetrics), Format::openmetrics) << openmetrics;
  }
  for (const auto* plain :
       {"text/plain", "TEXT/Plain; version=0.0.4", "text/plain;version=0.0.4;q=0.5,*/*;q=0.1",
        "application/openmetrics-text;q=0.4 , text/plain;version=0.0.4; q=0.5"}) {
    EXPECT_EQ(negotiate(plain), Format::prometheus) << plain;
  }
}

}  // namespace
}  // namespace sekisho::metrics
