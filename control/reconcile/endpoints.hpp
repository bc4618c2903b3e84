// SPDX-License-Identifier: BSD-3-Clause
// What is served over HTTP (metrics, health, the page), where the policy that runs says; tried again later where that cannot be: what watches
// must never keep what it watches down.
#pragma once

#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>
#include <chrono>
#include <cstddef>
#include <functional>
#include <memory>
#include <string>
#include <tl/expected.hpp>
#include <vector>

#include "common/base/error.hpp"
#include "control/http/server.hpp"
#include "control/policy/policy.hpp"
#include "control/reconcile/timing.hpp"

namespace sekisho::reconcile {

class Endpoints {
 public:
  struct Service {
    http::Site site;
    std::function<std::vector<config::Listen>(const config::Config&)> wanted;  // where to listen
  };
  Endpoints(boost::asio::io_context& io, std::vector<Service> services);

  void serve(std::shared_ptr<const policy::Policy> policy);
  // Whether all could be served, before anything changes.
  [[nodiscard]] auto could_serve(const policy::Policy& policy) -> tl::expected<void, base::Error>;

  // What is wanted and cannot be served: file, line and why.
  [[nodiscard]] const std::vector<std::string>& not_served() const noexcept { return not_served_; }

 private:
  struct Place {
    std::size_t service = 0;
    boost::asio::ip::tcp::endpoint endpoint;
    unsigned line = 0;

    [[nodiscard]] bool is_same(const Place& other) const {
      return service == other.service && endpoint == other.endpoint;
    }
  };
  struct Served {
    Place place;
    std::unique_ptr<http::Server> server;
  };

  [[nodiscard]] auto places(const policy::Policy& policy) const -> std::vector<Place>;
  [[nodiscard]] bool is_served(const Place& place) const;
  // The error is one sentence.
  [[nodiscard]] auto open(const Place& place) -> tl::expected<Served, std::string>;
  void listen();
  // Instead of what is in its way and not wanted any more.
  [[nodiscard]] auto replace(const Place& place, const std::vector<Place>& wanted)
      -> tl::expected<void, std::string>;
  void retry();

  boost::asio::io_context& io_;
  boost::asio::steady_timer retry_;
  std::vector<Service> services_;
  std::shared_ptr<const policy::Policy> policy_;
  std::vector<Served> served_;
  std::vector<std::string> not_served_;
  std::chrono::seconds pause_ = first_retry;  // grows while something cannot be served
};

}  // namespace sekisho::reconcile
