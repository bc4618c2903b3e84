// Metrics over HTTP: where the policy that runs says.
#include <fmt/format.h>
#include <spdlog/spdlog.h>

#include <algorithm>
#include <utility>

#include "control/guard/truth.hpp"
#include "control/reconcile/daemon.hpp"
#include "control/reconcile/timing.hpp"
#include "control/serve/ask_live.hpp"

namespace sekisho::reconcile {
namespace {

using Endpoint = boost::asio::ip::tcp::endpoint;

std::optional<Endpoint> metrics_endpoint(const policy::Policy& policy) {
  const auto& metrics = policy.config.metrics;
  return metrics ? std::optional(Endpoint(boost::asio::ip::address_v4(metrics->address), metrics->port))
                 : std::nullopt;
}

// Whether the kernel refuses one while the other is listened on: "any address" is every address.
bool overlap(const Endpoint& a, const Endpoint& b) {
  return a.port() == b.port() &&
         (a.address() == b.address() || a.address().is_unspecified() || b.address().is_unspecified());
}

std::string refusal(const policy::Policy& policy, const std::string& why) {
  return fmt::format("{}:{}: {}", policy.config.file.string(), policy.config.metrics->line, why);
}

}  // namespace

auto Daemon::listen_for_metrics(const Endpoint& endpoint)
    -> tl::expected<std::unique_ptr<metrics::Server>, std::string> {
  return metrics::Server::listen(
      io_, endpoint, [this](metrics::Format format, std::function<void(std::string)> done) {
        serve::ask_live(*this, [this, format, done = std::move(done)](const serve::Live& live) {
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
                                    .problems = serve::problems_now(*this, live),
                                    .guarding = &guarding},
                                   format));
        });
      });
}

bool Daemon::serves_metrics_of(const policy::Policy& policy) const {
  const auto serves = metrics_ ? std::optional(metrics_->endpoint()) : std::nullopt;
  return serves == metrics_endpoint(policy);
}

// Whether it could, before anything changes; it moves when the dataplane has committed.
auto Daemon::could_serve_metrics(const policy::Policy& policy) -> tl::expected<void, std::string> {
  const auto wanted = metrics_endpoint(policy);
  // An address that the policy that runs has, too, is tried again anyway; beside our own listener it cannot be tried.
  if (!wanted || wanted == metrics_endpoint(*policy_) ||
      (metrics_ && overlap(metrics_->endpoint(), *wanted))) {
    return {};
  }
  if (const auto server = listen_for_metrics(*wanted); !server) {
    return tl::unexpected(refusal(policy, server.error()));
  }
  return {};
}

void Daemon::serve_metrics() {
  metrics_retry_.cancel();
  if (serves_metrics_of(*policy_)) {
    return;
  }
  const auto wanted = metrics_endpoint(*policy_);
  const auto before = metrics_ ? std::optional(metrics_->endpoint()) : std::nullopt;
  if (!wanted || (before && overlap(*before, *wanted))) {
    metrics_.reset();
  }
  if (!wanted) {
    return;
  }
  auto server = listen_for_metrics(*wanted);
  if (server) {
    metrics_ = std::move(*server);
    metrics_pause_ = first_retry;
    return;
  }
  if (before && !metrics_) {
    if (auto old = listen_for_metrics(*before)) {
      metrics_ = std::move(*old);
    }
  }
  spdlog::error("{}; {}trying again in {} s", refusal(*policy_, server.error()),
                metrics_ ? "served where they were, " : "", metrics_pause_.count());
  metrics_retry_.expires_after(metrics_pause_);
  metrics_pause_ = std::min(2 * metrics_pause_, last_retry);
  metrics_retry_.async_wait([this](const boost::system::error_code& error) {
    if (!error) {
      serve_metrics();
    }
  });
}

}  // namespace sekisho::reconcile
