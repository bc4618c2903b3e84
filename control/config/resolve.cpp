// SPDX-License-Identifier: BSD-3-Clause
#include "control/config/resolve.hpp"

#include <arpa/inet.h>
#include <fmt/format.h>
#include <netdb.h>
#include <netinet/in.h>

#include <algorithm>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "common/base/duration.hpp"
#include "common/base/text.hpp"

namespace sekisho::config {
namespace {

using Clock = std::chrono::steady_clock;

constexpr std::size_t most_addresses = 8;  // of a name

// One question to the resolver, which looks at it from a thread of its own until it has answered.
class Lookup {
 public:
  Lookup(std::string name, unsigned line) : name_(std::move(name)), line_(line) {
    hints_.ai_family = AF_INET;
    hints_.ai_socktype = SOCK_STREAM;
    request_.ar_name = name_.c_str();
    request_.ar_request = &hints_;
  }
  Lookup(const Lookup&) = delete;
  Lookup& operator=(const Lookup&) = delete;
  ~Lookup() {
    if (request_.ar_result != nullptr) {
      freeaddrinfo(request_.ar_result);
    }
  }

  [[nodiscard]] auto request() noexcept -> gaicb* { return &request_; }
  [[nodiscard]] const std::string& name() const noexcept { return name_; }
  [[nodiscard]] unsigned line() const noexcept { return line_; }
  [[nodiscard]] int status() { return gai_error(&request_); }
  [[nodiscard]] auto addresses() const -> std::vector<std::uint32_t> {
    std::vector<std::uint32_t> result;
    for (const auto* found = request_.ar_result; found != nullptr; found = found->ai_next) {
      if (found->ai_family == AF_INET) {
        result.push_back(ntohl(reinterpret_cast<const sockaddr_in*>(found->ai_addr)->sin_addr.s_addr));
      }
    }
    std::ranges::sort(result);
    const auto again = std::ranges::unique(result);
    result.erase(again.begin(), again.end());
    result.resize(std::min(result.size(), most_addresses));
    return result;
  }

 private:
  std::string name_;
  unsigned line_;
  addrinfo hints_{};
  gaicb request_{};
};

using Lookups = std::vector<std::unique_ptr<Lookup>>;

auto lookups_of(const Config& config) -> Lookups {
  Lookups result;
  for (const auto& next_hop : config.next_hops) {
    if (!next_hop.probe) {
      continue;
    }
    for (const auto& target : next_hop.probe->through) {
      if (target.addresses.empty() && std::ranges::find(result, target.host, &Lookup::name) == result.end()) {
        result.push_back(std::make_unique<Lookup>(target.host, next_hop.probe_line));
      }
    }
  }
  return result;
}

// Until all are answered or the time is over.
void wait_for(Lookups& lookups, std::chrono::milliseconds patience) {
  const auto until = Clock::now() + patience;
  for (const auto& lookup : lookups) {
    while (lookup->status() == EAI_INPROGRESS) {
      const auto left = std::chrono::duration_cast<std::chrono::nanoseconds>(until - Clock::now());
      if (left.count() <= 0) {
        return;
      }
      constexpr std::int64_t second = 1'000'000'000;
      const timespec time{.tv_sec = left.count() / second, .tv_nsec = left.count() % second};
      const gaicb* const request = lookup->request();
      gai_suspend(&request, 1, &time);
    }
  }
}

void give(Config& config, const Lookup& lookup) {
  for (auto& next_hop : config.next_hops) {
    if (!next_hop.probe) {
      continue;
    }
    for (auto& target : next_hop.probe->through) {
      if (target.host == lookup.name()) {
        target.addresses = lookup.addresses();
      }
    }
  }
}

}  // namespace

auto resolve_names(Config& config, std::chrono::milliseconds patience) -> std::optional<base::Error> {
  auto lookups = lookups_of(config);
  std::vector<gaicb*> requests;
  std::ranges::transform(lookups, std::back_inserter(requests),
                         [](const auto& lookup) { return lookup->request(); });
  if (requests.empty()) {
    return std::nullopt;
  }
  const auto refuse = [&](const Lookup& lookup, const std::string& why) {
    return config.at(lookup.line(), fmt::format("probe target {} {}", base::in_quotes(lookup.name()), why));
  };
  if (const int error =
          getaddrinfo_a(GAI_NOWAIT, requests.data(), static_cast<int>(requests.size()), nullptr);
      error != 0) {
    return refuse(*lookups.front(), fmt::format("cannot be resolved: {}", gai_strerror(error)));
  }
  wait_for(lookups, patience);
  std::optional<base::Error> refused;
  for (auto& lookup : lookups) {
    const int status = lookup->status();
    if (status == 0 && !lookup->addresses().empty()) {
      give(config, *lookup);
    } else if (!refused) {
      refused = refuse(*lookup, status == EAI_INPROGRESS
                                    ? fmt::format("is not resolved within {}: does the name server answer?",
                                                  base::to_string(patience))
                                : status == 0 ? "has no IPv4 address"
                                              : fmt::format("cannot be resolved: {}", gai_strerror(status)));
    }
    if (status == EAI_INPROGRESS && gai_cancel(lookup->request()) != EAI_CANCELED) {
      // The resolver goes on looking at it: it is left behind with the resolver's thread.
      [[maybe_unused]] const auto* left_behind = lookup.release();
    }
  }
  return refused;
}

}  // namespace sekisho::config
