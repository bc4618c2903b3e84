// SPDX-License-Identifier: BSD-3-Clause
#include "control/reconcile/health_check.hpp"

#include <chrono>
#include <utility>

#include "control/serve/ask_live.hpp"
#include "control/serve/health.hpp"

namespace sekisho::reconcile {
namespace {

// Load balancers give up after two seconds and more; a dataplane that is well answers within a few milliseconds.
constexpr std::chrono::seconds longest_silence{1};
// An answer takes control some 3 ms, most of them the kernel's who lists the guard.
constexpr std::chrono::milliseconds between_questions{50};

http::Response as_response(const serve::Health& health) {
  constexpr unsigned ok = 200;
  constexpr unsigned unavailable = 503;
  return {
      .status = health.failures.empty() ? ok : unavailable,
      .content_type = "application/json",
      .body = serve::health_json(health).dump(-1, ' ', false, serve::Json::error_handler_t::replace) + "\n"};
}

}  // namespace

auto HealthCheck::site() -> http::Site {
  const std::string silent = "the dataplane does not answer";
  return {.name = "health",
          .paths = {"/", "/health"},
          .answer =
              [this](const http::Request& /*request*/, Done done) {
                waiting_.push_back(std::move(done));
                ask_soon();
              },
          .patience = longest_silence,
          .too_late = as_response({.verdict = {serve::Word::closed, {silent}}, .failures = {silent}})};
}

void HealthCheck::ask_soon() {
  if (is_asking_ || waiting_.empty()) {
    return;
  }
  is_asking_ = true;
  pause_.expires_at(asked_at_ + between_questions);
  pause_.async_wait([this](const boost::system::error_code& error) {
    if (!error) {
      ask();
    }
  });
}

void HealthCheck::ask() {
  asked_at_ = std::chrono::steady_clock::now();
  serve::ask_state(backend_, [this, asked = std::exchange(waiting_, {})](const serve::Live& live) {
    is_asking_ = false;
    const auto same = response(live);
    for (const auto& done : asked) {
      done(same);
    }
    ask_soon();
  });
}

auto HealthCheck::response(const serve::Live& live) const -> http::Response {
  const auto policy = backend_.policy();
  const auto circumstances = backend_.circumstances();
  const auto problems = serve::problems({.policy = *policy,
                                         .mirror = backend_.mirror(),
                                         .view = backend_.view(),
                                         .live = live,
                                         .circumstances = circumstances});
  return as_response(serve::health(*policy, problems, backend_.draining_since_unix_ms().has_value()));
}

}  // namespace sekisho::reconcile
