// SPDX-License-Identifier: BSD-3-Clause
// Answers health probes: 200 or 503 with the reasons as JSON, by what the dataplane says after the probe has come. Probes that come
// while it is being asked are answered by the next answer, so that it is asked one thing at a time however many come.
#pragma once

#include <functional>
#include <vector>

#include "control/http/server.hpp"
#include "control/serve/backend.hpp"

namespace sekisho::reconcile {

class HealthCheck {
 public:
  // `backend` must outlive it.
  explicit HealthCheck(serve::Backend& backend) : backend_(backend) {}
  HealthCheck(const HealthCheck&) = delete;
  HealthCheck& operator=(const HealthCheck&) = delete;

  // Which this must outlive.
  [[nodiscard]] auto site() -> http::Site;

 private:
  using Done = std::function<void(http::Response)>;

  void ask();
  [[nodiscard]] auto response(const serve::Live& live) const -> http::Response;

  serve::Backend& backend_;
  bool is_asking_ = false;
  std::vector<Done> waiting_;
};

}  // namespace sekisho::reconcile
