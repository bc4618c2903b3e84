// SPDX-License-Identifier: BSD-3-Clause
#include "control/reconcile/endpoints.hpp"

#include <spdlog/spdlog.h>

#include <algorithm>
#include <iterator>
#include <utility>

namespace sekisho::reconcile {
namespace {

using Endpoint = boost::asio::ip::tcp::endpoint;

// Whether the kernel refuses one while the other is listened on: "any address" is every address.
bool overlap(const Endpoint& a, const Endpoint& b) {
  return a.port() == b.port() &&
         (a.address() == b.address() || a.address().is_unspecified() || b.address().is_unspecified());
}

base::Error refusal(const policy::Policy& policy, unsigned line, std::string why) {
  return policy.config.at(line, std::move(why));
}

}  // namespace

Endpoints::Endpoints(boost::asio::io_context& io, std::vector<Service> services)
    : io_(io), retry_(io), services_(std::move(services)) {}

auto Endpoints::places(const policy::Policy& policy) const -> std::vector<Place> {
  std::vector<Place> result;
  for (std::size_t service = 0; service != services_.size(); ++service) {
    for (const auto& listen : services_[service].wanted(policy.config)) {
      result.push_back({.service = service,
                        .endpoint = Endpoint(boost::asio::ip::address_v4(listen.address), listen.port),
                        .line = listen.line});
    }
  }
  return result;
}

bool Endpoints::is_served(const Place& place) const {
  return std::ranges::any_of(served_, [&](const Served& each) { return each.place.is_same(place); });
}

auto Endpoints::open(const Place& place) -> tl::expected<Served, std::string> {
  return http::Server::listen(io_, place.endpoint, services_[place.service].site)
      .map([&](std::unique_ptr<http::Server> server) {
        return Served{place, std::move(server)};
      });
}

auto Endpoints::could_serve(const policy::Policy& policy) -> tl::expected<void, base::Error> {
  const auto tried_anyway = policy_ ? places(*policy_) : std::vector<Place>{};
  for (const auto& place : places(policy)) {
    // What the policy that runs has, too, is tried again anyway; beside our own listener it cannot be tried.
    const auto is_same = [&](const Place& other) { return other.is_same(place); };
    const auto is_ours = [&](const Served& each) { return overlap(each.place.endpoint, place.endpoint); };
    if (std::ranges::any_of(tried_anyway, is_same) || std::ranges::any_of(served_, is_ours)) {
      continue;
    }
    if (const auto tried = open(place); !tried) {
      return tl::unexpected(refusal(policy, place.line, tried.error()));
    }
  }
  return {};
}

void Endpoints::serve(std::shared_ptr<const policy::Policy> policy) {
  policy_ = std::move(policy);
  listen();
}

// What is not wanted any more is served until its service is where it is wanted: one that is moved to where it cannot be stays.
void Endpoints::listen() {
  retry_.cancel();
  const auto wanted = places(*policy_);
  std::vector<bool> fails(services_.size());
  not_served_.clear();
  for (const auto& place : wanted) {
    if (is_served(place)) {
      continue;
    }
    if (const auto replaced = replace(place, wanted); !replaced) {
      fails[place.service] = true;
      not_served_.push_back(refusal(*policy_, place.line, replaced.error()).to_string());
    }
  }
  std::erase_if(served_, [&](const Served& each) {
    return !fails[each.place.service] &&
           std::ranges::none_of(wanted, [&](const Place& place) { return place.is_same(each.place); });
  });
  if (not_served_.empty()) {
    pause_ = first_retry;
    return;
  }
  for (const auto& error : not_served_) {
    spdlog::error("{}; what was served before stays, trying again in {} s", error, pause_.count());
  }
  retry();
}

auto Endpoints::replace(const Place& place, const std::vector<Place>& wanted)
    -> tl::expected<void, std::string> {
  std::vector<Place> in_the_way;
  std::erase_if(served_, [&](const Served& each) {
    const bool ends =
        overlap(each.place.endpoint, place.endpoint) &&
        std::ranges::none_of(wanted, [&](const Place& other) { return other.is_same(each.place); });
    if (ends) {
      in_the_way.push_back(each.place);
    }
    return ends;
  });
  auto opened = open(place);
  if (opened) {
    served_.push_back(std::move(*opened));
    return {};
  }
  for (const auto& before : in_the_way) {
    if (auto again = open(before)) {
      served_.push_back(std::move(*again));
    }
  }
  return tl::unexpected(std::move(opened.error()));
}

void Endpoints::retry() {
  retry_.expires_after(pause_);
  pause_ = std::min(2 * pause_, last_retry);
  retry_.async_wait([this](const boost::system::error_code& error) {
    if (!error) {
      listen();
    }
  });
}

}  // namespace sekisho::reconcile
