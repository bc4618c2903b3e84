// SPDX-License-Identifier: BSD-3-Clause
#include "control/reconcile/metrics_endpoint.hpp"

#include <spdlog/spdlog.h>

#include <algorithm>
#include <utility>

namespace sekisho::reconcile {
namespace {

using Endpoint = boost::asio::ip::tcp::endpoint;

std::optional<Endpoint> endpoint_of(const policy::Policy& policy) {
  const auto& metrics = policy.config.metrics;
  return metrics ? std::optional(Endpoint(boost::asio::ip::address_v4(metrics->address), metrics->port))
                 : std::nullopt;
}

// Whether the kernel refuses one while the other is listened on: "any address" is every address.
bool overlap(const Endpoint& a, const Endpoint& b) {
  return a.port() == b.port() &&
         (a.address() == b.address() || a.address().is_unspecified() || b.address().is_unspecified());
}

base::Error refusal(const policy::Policy& policy, std::string why) {
  return {policy.config.file, policy.config.metrics->line, std::move(why)};
}

}  // namespace

MetricsEndpoint::MetricsEndpoint(boost::asio::io_context& io, metrics::Server::Collect collect)
    : io_(io), retry_(io), collect_(std::move(collect)) {}

auto MetricsEndpoint::listen_at(const Endpoint& endpoint)
    -> tl::expected<std::unique_ptr<metrics::Server>, std::string> {
  return metrics::Server::listen(io_, endpoint, collect_);
}

auto MetricsEndpoint::serves_at() const -> std::optional<Endpoint> {
  return server_ ? std::optional(server_->endpoint()) : std::nullopt;
}

auto MetricsEndpoint::could_serve(const policy::Policy& policy) -> tl::expected<void, base::Error> {
  const auto wanted = endpoint_of(policy);
  const auto served = serves_at();
  // An address that the policy that runs has, too, is tried again anyway; beside our own listener it cannot be tried.
  if (!wanted || (policy_ && wanted == endpoint_of(*policy_)) || (served && overlap(*served, *wanted))) {
    return {};
  }
  if (const auto server = listen_at(*wanted); !server) {
    return tl::unexpected(refusal(policy, server.error()));
  }
  return {};
}

void MetricsEndpoint::serve(std::shared_ptr<const policy::Policy> policy) {
  policy_ = std::move(policy);
  listen();
}

void MetricsEndpoint::listen() {
  retry_.cancel();
  const auto wanted = endpoint_of(*policy_);
  const auto before = serves_at();
  if (before == wanted) {
    return;
  }
  if (!wanted || (before && overlap(*before, *wanted))) {
    server_.reset();
  }
  if (!wanted) {
    return;
  }
  auto server = listen_at(*wanted);
  if (server) {
    server_ = std::move(*server);
    pause_ = first_retry;
    return;
  }
  if (before && !server_) {
    if (auto old = listen_at(*before)) {
      server_ = std::move(*old);
    }
  }
  spdlog::error("{}; {}trying again in {} s", refusal(*policy_, server.error()).to_string(),
                server_ ? "served where they were, " : "", pause_.count());
  retry_.expires_after(pause_);
  pause_ = std::min(2 * pause_, last_retry);
  retry_.async_wait([this](const boost::system::error_code& error) {
    if (!error) {
      listen();
    }
  });
}

}  // namespace sekisho::reconcile
