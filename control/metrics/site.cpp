// SPDX-License-Identifier: BSD-3-Clause
#include "control/metrics/site.hpp"

#include <utility>

#include "control/metrics/accept.hpp"

namespace sekisho::metrics {
namespace {

// Prometheus itself gives up after ten.
constexpr std::chrono::seconds longest_collect{5};

}  // namespace

auto site(Collect collect) -> http::Site {
  return {.name = "metrics",
          .paths = {"/metrics"},
          .answer =
              [collect = std::move(collect)](const http::Request& request,
                                             std::function<void(http::Response)> done) {
                const auto format = negotiate(request.accept);
                collect(format, [format, done = std::move(done)](std::string text) {
                  done({.content_type = std::string{content_type(format)}, .body = std::move(text)});
                });
              },
          .patience = longest_collect,
          .too_late = {.status = 503, .body = "the dataplane does not answer\n"}};
}

}  // namespace sekisho::metrics
