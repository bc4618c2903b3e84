// SPDX-License-Identifier: BSD-3-Clause
#include "control/netlink/reader.hpp"

#include <fmt/format.h>
#include <libmnl/libmnl.h>
#include <linux/rtnetlink.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <cstring>
#include <variant>

#include "control/netlink/bus.hpp"

namespace sekisho::netlink {

Reader::Reader(Socket socket, std::vector<rtnetlink::Dump> round, Answer answer)
    : socket_(std::move(socket)), round_(std::move(round)), answer_(std::move(answer)) {}

// --- Rounds.

auto Reader::read_round() -> tl::expected<void, std::string> {
  constexpr std::chrono::seconds patience{10};
  start_dump(0);
  while (dump_ && !has_failed()) {
    if (socket_.wait(patience)) {
      read();
    } else {
      failure_ = "the kernel does not answer on netlink";
    }
  }
  if (has_failed()) {
    return tl::unexpected(failure_);
  }
  return {};
}

void Reader::read() {
  if (!socket_.read([this](const nlmsghdr& message) { handle(message); })) {
    again_ = true;
  }
  // Not before the queue is empty: an event that stands in it is older than the dump, and those that
  // followed may be lost.
  if (again_ && !dump_ && !has_failed()) {
    start_dump(0);
  }
}

void Reader::refresh() {
  if (dump_ || has_failed()) {
    again_ = true;
  } else {
    start_dump(0);
  }
}

void Reader::retry() {
  failure_.clear();
  start_dump(0);
}

void Reader::start_dump(std::size_t which) {
  if (which == 0) {
    again_ = false;
  }
  dump_ = which;
  named_ = {};
  dump_sequence_ = next_sequence();
  if (!socket_.send(rtnetlink::list(round_[which], dump_sequence_))) {
    fail_dump(errno);
  }
}

void Reader::fail_dump(int error) {
  failure_ = fmt::format("the kernel does not list links, addresses, neighbours and routes: {}",
                         std::strerror(error));
  dump_.reset();
  again_ = true;
}

void Reader::end_dump() {
  const auto ended = *dump_;
  forget_unnamed(round_[ended]);
  if (ended + 1 < round_.size()) {
    start_dump(ended + 1);
  } else {
    dump_.reset();
  }
}

void Reader::forget_unnamed(rtnetlink::Dump what) {
  switch (what) {
    case rtnetlink::Dump::links:
      std::erase_if(mirror.links, [&](const auto& entry) { return !named_.links.contains(entry.first); });
      std::erase_if(mirror.bound, [&](const auto& entry) { return !named_.links.contains(entry.second); });
      break;
    case rtnetlink::Dump::settings:
      break;
    case rtnetlink::Dump::addresses:
      for (auto& [index, addresses] : mirror.addresses) {
        std::erase_if(addresses, [&, link = index](const config::InterfaceAddress& address) {
          return !named_.addresses.contains(key_of(link, address));
        });
      }
      std::erase_if(mirror.addresses, [](const auto& entry) { return entry.second.empty(); });
      std::erase_if(mirror.own_addresses, [&](const auto& own) {
        return !named_.addresses.contains(key_of(own.first, own.second));
      });
      break;
    case rtnetlink::Dump::neighbours:
      forget_neighbours([&](const NeighbourKey& key) { return !named_.neighbours.contains(key); });
      break;
    case rtnetlink::Dump::routes:
      std::erase_if(mirror.routes,
                    [&](const Route& route) { return !named_.routes.contains(key_of(route)); });
      std::erase_if(mirror.defaults,
                    [&](const DefaultRoute& route) { return !named_.defaults.contains(route); });
      break;
    case rtnetlink::Dump::rules:
      std::erase_if(mirror.rules, [&](const Rule& rule) { return !named_.rules.contains(rule); });
      break;
  }
}

// --- Messages.

void Reader::handle(const nlmsghdr& message) {
  const bool in_dump = dump_ && message.nlmsg_seq == dump_sequence_ && message.nlmsg_pid == socket_.port();
  if (in_dump && (message.nlmsg_flags & NLM_F_DUMP_INTR) != 0) {
    again_ = true;
  }
  if (message.nlmsg_type == NLMSG_ERROR) {
    handle_error(message, in_dump);
  } else if (message.nlmsg_type == NLMSG_DONE) {
    if (in_dump) {
      end_dump();
    }
  } else if (const auto event = rtnetlink::parse(message)) {
    std::visit([&](const auto& parsed) { apply(parsed, in_dump); }, *event);
  }
}

void Reader::handle_error(const nlmsghdr& message, bool in_dump) {
  if (mnl_nlmsg_get_payload_len(&message) < sizeof(nlmsgerr)) {
    return;
  }
  const int error = -static_cast<const nlmsgerr*>(mnl_nlmsg_get_payload(&message))->error;
  if (in_dump) {
    fail_dump(error);
  } else if (answer_) {
    answer_(message.nlmsg_seq, error);
  }
}

// The kernel fills a dump's message before it queues it, so an event that was queued earlier may be newer than the dump's
// word on the same object: what an event named during a dump, the dump does not change.
template <typename Key>
bool Reader::is_old_news(std::set<Key>& named, const Key& key, bool in_dump) {
  return dump_ && !named.insert(key).second && in_dump;
}

void Reader::apply(const rtnetlink::LinkMessage& message, bool in_dump) {
  const int index = message.link.index;
  if (is_old_news(named_.links, index, in_dump)) {
    return;
  }
  if (!message.link.enabled) {
    lose_routes(index);
  }
  if (!message.link.up) {
    last_macs.forget(index);
  }
  if (message.gone) {
    remove_link(index);
  } else {
    add_bus_below(mirror.links[index] = message.link);
  }
}

void Reader::remove_link(int index) {
  mirror.links.erase(index);
  if (std::erase_if(mirror.bound, [&](const auto& entry) { return entry.second == index; }) != 0) {
    ++mirror.returns[index];
  }
  mirror.addresses.erase(index);
  std::erase_if(mirror.own_addresses, [&](const auto& own) { return own.first == index; });
  forget_neighbours([&](const NeighbourKey& key) { return key.first == index; });
  last_macs.forget(index);
}

void Reader::apply(const rtnetlink::AddressMessage& message, bool in_dump) {
  if (is_old_news(named_.addresses, key_of(message.index, message.address), in_dump)) {
    return;
  }
  auto& addresses = mirror.addresses[message.index];
  std::erase(addresses, message.address);
  mirror.own_addresses.erase({message.index, message.address});
  if (message.gone) {
    lose_routes(message.index);
  } else {
    addresses.push_back(message.address);
    if (message.own) {
      mirror.own_addresses.emplace(message.index, message.address);
    }
  }
  if (addresses.empty()) {
    mirror.addresses.erase(message.index);
  }
}

void Reader::apply(const rtnetlink::NeighbourMessage& message, bool in_dump) {
  const NeighbourKey key{message.index, message.address};
  if (is_old_news(named_.neighbours, key, in_dump)) {
    return;
  }
  managed.erase(key);
  permanent.erase(key);
  const auto before = mirror.neighbours.find(key);
  hear(key, before == mirror.neighbours.end() ? nullptr : &before->second,
       message.gone ? nullptr : &message.neighbour);
  if (message.gone) {
    mirror.neighbours.erase(key);
    return;
  }
  mirror.neighbours[key] = message.neighbour;
  if (message.managed) {
    managed.insert(key);
  }
  if (message.permanent) {
    permanent.insert(key);
  }
}

void Reader::forget_neighbours(const std::function<bool(const NeighbourKey&)>& which) {
  std::erase_if(mirror.neighbours, [&](const auto& entry) {
    const bool goes = which(entry.first);
    if (goes) {
      hear(entry.first, &entry.second, nullptr);
    }
    return goes;
  });
  std::erase_if(managed, which);
  std::erase_if(permanent, which);
}

void Reader::hear(const NeighbourKey& key, const Neighbour* before, const Neighbour* now) {
  if (remembered_.contains(key)) {
    last_macs.hear(key, before, now, std::chrono::steady_clock::now());
  }
}

void Reader::remember(std::set<NeighbourKey> neighbours) {
  last_macs.keep_only(neighbours);
  remembered_ = std::move(neighbours);
}

// The kernel drops a link's routes with the link or its addresses and does not say which.
void Reader::lose_routes(int link) {
  const auto is_by_it = [&](const auto& route) { return route.link == link; };
  if (std::ranges::any_of(mirror.routes, is_by_it) || std::ranges::any_of(mirror.defaults, is_by_it)) {
    again_ = true;
  }
}

void Reader::apply(const rtnetlink::RouteMessage& message, bool in_dump) {
  std::visit([&](const auto& route) { apply(message, route, in_dump); }, message.route);
}

void Reader::apply(const rtnetlink::RouteMessage& message, const Route& route, bool in_dump) {
  if (is_old_news(named_.routes, key_of(route), in_dump)) {
    return;
  }
  std::erase_if(mirror.routes, [&](const Route& old) { return key_of(old) == key_of(route); });
  if (!message.gone) {
    mirror.routes.insert(route);
  }
}

void Reader::apply(const rtnetlink::RouteMessage& message, const DefaultRoute& route, bool in_dump) {
  if (is_old_news(named_.defaults, route, in_dump)) {
    return;
  }
  if (message.replaces) {
    std::erase_if(mirror.defaults, [&](const DefaultRoute& old) { return old.metric == route.metric; });
  }
  if (message.gone) {
    mirror.defaults.erase(route);
  } else {
    mirror.defaults.insert(route);
  }
}

void Reader::apply(const rtnetlink::RuleMessage& message, bool in_dump) {
  if (is_old_news(named_.rules, message.rule, in_dump)) {
    return;
  }
  if (message.gone) {
    mirror.rules.erase(message.rule);
  } else {
    mirror.rules.insert(message.rule);
  }
}

void Reader::apply(const rtnetlink::SettingsMessage& message, bool /*in_dump*/) {
  if (message.is_default) {
    mirror.default_forwarding = message.forwarding.value_or(mirror.default_forwarding);
  } else if (message.index == 0) {
    mirror.all_rp_filter = message.rp_filter.value_or(mirror.all_rp_filter);
  } else if (const auto link = mirror.links.find(message.index); link != mirror.links.end()) {
    link->second.forwarding = message.forwarding.value_or(link->second.forwarding);
    link->second.rp_filter = message.rp_filter.value_or(link->second.rp_filter);
  }
}

}  // namespace sekisho::netlink
