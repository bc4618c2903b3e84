// SPDX-License-Identifier: BSD-3-Clause
// Metrics over HTTP where the policy that runs says; tried again later where that cannot be: what watches must never keep what it
// watches down.
#pragma once

#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>
#include <chrono>
#include <memory>
#include <optional>
#include <tl/expected.hpp>

#include "common/base/error.hpp"
#include "control/metrics/server.hpp"
#include "control/policy/policy.hpp"
#include "control/reconcile/timing.hpp"

namespace sekisho::reconcile {

class MetricsEndpoint {
 public:
  MetricsEndpoint(boost::asio::io_context& io, metrics::Server::Collect collect);

  void serve(std::shared_ptr<const policy::Policy> policy);
  // Whether it could, before anything changes.
  [[nodiscard]] auto could_serve(const policy::Policy& policy) -> tl::expected<void, base::Error>;

 private:
  void listen();
  auto listen_at(const boost::asio::ip::tcp::endpoint& endpoint)
      -> tl::expected<std::unique_ptr<metrics::Server>, std::string>;
  [[nodiscard]] auto serves_at() const -> std::optional<boost::asio::ip::tcp::endpoint>;

  boost::asio::io_context& io_;
  boost::asio::steady_timer retry_;
  metrics::Server::Collect collect_;
  std::shared_ptr<const policy::Policy> policy_;
  std::unique_ptr<metrics::Server> server_;
  std::chrono::seconds pause_ = first_retry;  // grows while they cannot be served
};

}  // namespace sekisho::reconcile
