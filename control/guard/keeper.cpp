// SPDX-License-Identifier: BSD-3-Clause
#include "control/guard/keeper.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <spdlog/spdlog.h>

#include <algorithm>
#include <chrono>
#include <utility>
#include <vector>

#include "control/guard/forwarding.hpp"
#include "control/guard/table.hpp"

namespace sekisho::guard {
namespace {

// How long a lock may be missing after the kernel has refused it.
constexpr std::chrono::seconds retry_after{1};
// Whoever moves an interface to another namespace and back takes its filters away without a word.
constexpr std::chrono::seconds look_every{1};

}  // namespace

Keeper::Keeper(boost::asio::io_context& io, netlink::Netlink& netlink)
    : netlink_(netlink), retry_(io), regularly_(io) {}

auto Keeper::open(boost::asio::io_context& io, netlink::Netlink& netlink)
    -> tl::expected<std::unique_ptr<Keeper>, std::string> {
  auto keeper = std::unique_ptr<Keeper>(new Keeper(io, netlink));
  keeper->found_ = installed().value_or(remembered());
  keeper->wanted_ = keeper->found_;
  // The watch first: what somebody changes after the table was written is not missed.
  auto watch = Watch::nftables(io, [self = keeper.get()] { self->look_at_table(); });
  if (!watch) {
    return tl::unexpected(std::move(watch.error()));
  }
  keeper->tables_ = std::move(*watch);
  auto filters = Watch::traffic_control(io, [self = keeper.get()] { self->look_at_ingress(); });
  if (!filters) {
    return tl::unexpected(std::move(filters.error()));
  }
  keeper->filters_ = std::move(*filters);
  auto ipv6 = Watch::ipv6_settings(io, [self = keeper.get()] { self->close_forwarding(); });
  if (!ipv6) {
    return tl::unexpected(std::move(ipv6.error()));
  }
  keeper->ipv6_ = std::move(*ipv6);
  if (auto done = keeper->install_wanted(); !done) {
    return tl::unexpected(std::move(done.error()));
  }
  keeper->load_ingress();
  keeper->look_regularly();
  return keeper;
}

auto Keeper::close(Guard wanted) -> tl::expected<void, std::string> {
  wanted = follow(remember(wanted_, std::move(wanted)), netlink_.mirror());
  const bool is_new = wanted != std::exchange(wanted_, wanted);
  auto done = is_new             ? install_wanted()
              : failure_.empty() ? tl::expected<void, std::string>()
                                 : tl::unexpected(failure_);
  close_ingress();
  close_forwarding();
  return done;
}

auto Keeper::install_wanted() -> tl::expected<void, std::string> {
  auto done = install(wanted_);
  auto failure = done ? std::string{} : done.error();
  if (!failure.empty() && failure != failure_) {
    spdlog::error("the kernel may forward in our stead: {}", failure);
  }
  failure_ = std::move(failure);
  if (!done) {
    retry_.expires_after(retry_after);
    retry_.async_wait([this](const boost::system::error_code& error) {
      if (!error) {
        look_at_table();
      }
    });
  }
  return done;
}

void Keeper::look_at_table() {
  if (const auto now = installed(); now && *now == wanted_) {
    return;
  }
  if (install_wanted()) {
    ++restored_.table;
    spdlog::warn("somebody removed or changed the guard in nftables; it is back");
  }
}

void Keeper::load_ingress() {
  auto loaded = Ingress::load(Ingress::Addresses::kept);
  if (!loaded) {
    spdlog::error("{}", loaded.error());
    ingress_failures_[""] = loaded.error();
    return;
  }
  ingress_ = std::move(*loaded);
}

// Where it is missing. The addresses first: a link that has it is never without them.
void Keeper::close_ingress() {
  if (!ingress_) {
    return;
  }
  std::map<std::string, std::string> failures;
  if (const auto told = ingress_->set_addresses(host_addresses(netlink_.mirror())); !told) {
    failures[""] = told.error();
  }
  std::map<int, std::string> on;
  for (const netlink::Link* link : ingress_links(wanted_, netlink_.mirror())) {
    if (!ingress_on_.contains(link->index)) {
      if (const auto done = ingress_->attach(link->index); !done) {
        failures[link->name] = done.error();
        continue;
      }
    }
    on[link->index] = link->name;
  }
  ingress_on_ = std::move(on);
  for (const auto& [interface, why] : failures) {
    if (const auto old = ingress_failures_.find(interface);
        old == ingress_failures_.end() || old->second != why) {
      spdlog::error("{}{}{}", interface, interface.empty() ? "" : ": ", why);
    }
  }
  ingress_failures_ = std::move(failures);
}

void Keeper::look_at_ingress() {
  if (!ingress_) {
    return;
  }
  std::vector<std::string> missed;
  for (auto link = ingress_on_.begin(); link != ingress_on_.end();) {
    if (ingress_->is_on(link->first)) {
      ++link;
    } else {
      missed.push_back(link->second);
      link = ingress_on_.erase(link);
    }
  }
  close_ingress();
  for (const auto& interface : missed) {
    // An interface that is gone takes its filters along; the event that says so is on its way.
    if (std::ranges::find(ingress_on_, interface, &std::map<int, std::string>::value_type::second) !=
        ingress_on_.end()) {
      ++restored_.ingress;
      ingress_notice_.warn(
          fmt::format("{}: somebody removed or changed the tc program; it is back", interface));
    }
  }
}

void Keeper::look_regularly() {
  regularly_.expires_after(look_every);
  regularly_.async_wait([this](const boost::system::error_code& error) {
    if (!error) {
      look_at_ingress();
      look_regularly();
    }
  });
}

// Every time anew and without a pause: whoever switches it on has it switched off within the event that says so.
void Keeper::close_forwarding() {
  const auto& mirror = netlink_.mirror();
  std::set<int> forwarding;
  std::vector<std::string> switched_on;
  for (const netlink::Link* link : forwarding_links(wanted_, mirror)) {
    netlink_.set_forwarding(link->index, false);
    forwarding.insert(link->index);
    if (!forwarding_.contains(link->index) && exits_.erase(link->index) == 0) {
      switched_on.push_back(link->name);
    }
  }
  forwarding_ = std::move(forwarding);
  if (wanted_.exit) {
    exits_.insert({wanted_.exit->in, wanted_.exit->out});
  }
  const auto close = [&](bool is_open, const auto& how, std::string_view name, std::string& failure) {
    const auto done = is_open ? how() : tl::expected<void, std::string>{};
    if (!done && done.error() != failure) {
      spdlog::error("{} stays 1: {}", name, done.error());
    }
    failure = done ? std::string{} : done.error();
    if (is_open && done) {
      switched_on.emplace_back(name);
    }
  };
  close(new_links_forward(wanted_, mirror), close_new_links, "net.ipv4.conf.default.forwarding",
        default_failure_);
  close(ipv6_forwards(wanted_), close_ipv6, "net.ipv6.conf.all.forwarding", ipv6_failure_);
  if (!std::exchange(has_closed_forwarding_, true)) {
    if (!switched_on.empty()) {
      spdlog::info("forwarding is off now at {}", fmt::join(switched_on, ", "));
    }
  } else if (!switched_on.empty()) {
    ++restored_.forwarding;
    forwarding_notice_.warn(
        fmt::format("somebody switched forwarding on at {}; it is off again", fmt::join(switched_on, ", ")));
  }
}

}  // namespace sekisho::guard
