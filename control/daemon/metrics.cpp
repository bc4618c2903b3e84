// Metrics over HTTP: where the policy that runs says.
#include <fmt/format.h>
#include <spdlog/spdlog.h>

#include <algorithm>
#include <utility>

#include "control/api/ask_live.hpp"
#include "control/daemon/daemon.hpp"
#include "control/daemon/timing.hpp"
#include "control/guard/truth.hpp"

namespace sekisho {
namespace {

std::optional<boost::asio::ip::tcp::endpoint> metrics_endpoint(const policy::Policy& policy) {
  const auto& metrics = policy.config.metrics;
  return metrics ? std::optional(boost::asio::ip::tcp::endpoint(boost::asio::ip::address_v4(metrics->address),
                                                                metrics->port))
                 : std::nullopt;
}

}  // namespace

auto Daemon::listen_for_metrics(const policy::Policy& policy)
    -> tl::expected<std::unique_ptr<metrics::Server>, std::string> {
  const auto endpoint = metrics_endpoint(policy);
  if (!endpoint) {
    return std::unique_ptr<metrics::Server>();
  }
  const auto& file = policy.config.file;
  auto server = metrics::Server::listen(
      io_, *endpoint, [this](metrics::Format format, std::function<void(std::string)> done) {
        api::ask_live(*this, [this, format, done = std::move(done)](const api::Live& live) {
          const metrics::Guarding guarding{.truth = guard::ask(policy_->config, netlink_->mirror()),
                                           .restored = guard_->restored(),
                                           .dropped = guard_->ingress() == nullptr
                                                          ? std::map<std::string, std::uint64_t>{}
                                                          : guard_->ingress()->drops()};
          done(metrics::exposition({.policy = *policy_,
                                    .mirror = netlink_->mirror(),
                                    .live = live,
                                    .started_unix_ms = started_unix_ms_,
                                    .reloads = reload_counts_,
                                    .problems = api::problems_now(*this, live),
                                    .guarding = &guarding},
                                   format));
        });
      });
  if (!server) {
    return tl::unexpected(
        fmt::format("{}:{}: {}", file.string(), policy.config.metrics->line, server.error()));
  }
  return server;
}

bool Daemon::serves_metrics_of(const policy::Policy& policy) const {
  const auto serves = metrics_ ? std::optional(metrics_->endpoint()) : std::nullopt;
  return serves == metrics_endpoint(policy);
}

// Whether it could, before anything changes; it moves when the dataplane has committed.
auto Daemon::could_serve_metrics(const policy::Policy& policy) -> tl::expected<void, std::string> {
  // An address that the policy that runs has, too, is tried again anyway.
  if (metrics_endpoint(policy) == metrics_endpoint(*policy_) || serves_metrics_of(policy)) {
    return {};
  }
  return listen_for_metrics(policy).map([](const auto&) {});
}

void Daemon::serve_metrics() {
  metrics_retry_.cancel();
  if (serves_metrics_of(*policy_)) {
    return;
  }
  auto server = listen_for_metrics(*policy_);
  if (server) {
    metrics_ = std::move(*server);
    metrics_pause_ = first_retry;
    return;
  }
  spdlog::error("{}; trying again in {} s", server.error(), metrics_pause_.count());
  metrics_retry_.expires_after(metrics_pause_);
  metrics_pause_ = std::min(2 * metrics_pause_, last_retry);
  metrics_retry_.async_wait([this](const boost::system::error_code& error) {
    if (!error) {
      serve_metrics();
    }
  });
}

}  // namespace sekisho
