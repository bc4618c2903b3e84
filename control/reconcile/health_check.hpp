// SPDX-License-Identifier: BSD-3-Clause
// Answers health probes: 200 or 503 with the reasons as JSON, by what the dataplane says after the probe has come. Probes that come
// while it is being asked are answered by the next answer, and it is asked at most every 50 ms: however many come, and whoever sends
// them, control has little to do.
#pragma once

#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>
#include <chrono>
#include <functional>
#include <vector>

#include "control/http/server.hpp"
#include "control/serve/backend.hpp"

namespace sekisho::reconcile {

class HealthCheck {
 public:
  // `backend` must outlive it.
  HealthCheck(boost::asio::io_context& io, serve::Backend& backend) : backend_(backend), pause_(io) {}
  HealthCheck(const HealthCheck&) = delete;
  HealthCheck& operator=(const HealthCheck&) = delete;

  // Which this must outlive.
  [[nodiscard]] auto site() -> http::Site;

 private:
  using Done = std::function<void(http::Response)>;

  void ask_soon();
  void ask();
  [[nodiscard]] auto response(const serve::Live& live) const -> http::Response;

  serve::Backend& backend_;
  boost::asio::steady_timer pause_;
  std::chrono::steady_clock::time_point asked_at_;
  bool is_asking_ = false;  // or about to
  std::vector<Done> waiting_;
};

}  // namespace sekisho::reconcile
