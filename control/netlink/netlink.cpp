// SPDX-License-Identifier: BSD-3-Clause
#include "control/netlink/netlink.hpp"

#include <fmt/format.h>
#include <libmnl/libmnl.h>
#include <linux/rtnetlink.h>
#include <poll.h>
#include <spdlog/spdlog.h>
#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <boost/asio/posix/stream_descriptor.hpp>
#include <boost/asio/steady_timer.hpp>
#include <cerrno>
#include <chrono>
#include <cstring>
#include <optional>
#include <set>
#include <span>
#include <tuple>
#include <utility>

#include "common/base/prefix.hpp"
#include "control/netlink/bus.hpp"
#include "control/netlink/last_macs.hpp"
#include "control/netlink/rtnetlink.hpp"
#include "control/netlink/wanted.hpp"

namespace sekisho::netlink {
namespace {

using Clock = std::chrono::steady_clock;
using AddressKey = std::tuple<int, std::uint32_t, std::uint8_t>;
using RouteKey = std::pair<std::uint32_t, base::Prefix>;

RouteKey key_of(const Route& route) {
  return {route.table, route.prefix};
}

constexpr int receive_buffer = 16 << 20;
constexpr std::chrono::milliseconds ask_again{1000};
constexpr std::chrono::milliseconds ask_soon{100};
constexpr int dump_timeout_ms = 10'000;

}  // namespace

struct Netlink::Impl : std::enable_shared_from_this<Netlink::Impl> {
  Impl(boost::asio::io_context& io, std::function<void()> on_change)
      : descriptor(io), timer(io), keep_timer(io), settle_timer(io), changed(std::move(on_change)) {}
  ~Impl() {
    if (descriptor.is_open()) {
      descriptor.release();
    }
    if (socket != nullptr) {
      mnl_socket_close(socket);
    }
  }

  // --- Dumps. A round is one of each kind; what a round did not name is forgotten.

  void start_round() {
    again = false;
    start_dump(rtnetlink::Dump::links);
  }

  void start_dump(rtnetlink::Dump what) {
    dump = what;
    named_links.clear();
    named_addresses.clear();
    named_neighbours.clear();
    named_routes.clear();
    named_defaults.clear();
    named_rules.clear();
    dump_sequence = ++sequence;
    alignas(nlmsghdr) std::array<char, 512> message{};
    if (!send(message, rtnetlink::write_dump(message, what, dump_sequence))) {
      fail_dump(errno);
    }
  }

  // Tried again by the timer.
  void fail_dump(int error) {
    failure = fmt::format("the kernel refuses to list links, addresses, neighbours and routes: {}",
                          std::strerror(error));
    dump.reset();
    again = true;
  }

  void end_dump() {
    switch (*dump) {
      case rtnetlink::Dump::links:
        std::erase_if(mirror.links, [&](const auto& entry) { return !named_links.contains(entry.first); });
        std::erase_if(mirror.bound, [&](const auto& entry) { return !named_links.contains(entry.second); });
        return start_dump(rtnetlink::Dump::settings);
      case rtnetlink::Dump::settings:
        return start_dump(rtnetlink::Dump::addresses);
      case rtnetlink::Dump::addresses:
        for (auto& [index, addresses] : mirror.addresses) {
          std::erase_if(addresses, [&, link = index](const config::InterfaceAddress& address) {
            return !named_addresses.contains({link, address.address, address.length});
          });
        }
        std::erase_if(mirror.addresses, [](const auto& entry) { return entry.second.empty(); });
        std::erase_if(mirror.own_addresses, [&](const auto& own) {
          return !named_addresses.contains({own.first, own.second.address, own.second.length});
        });
        return start_dump(rtnetlink::Dump::neighbours);
      case rtnetlink::Dump::neighbours:
        forget_neighbours([&](const NeighbourKey& key) { return !named_neighbours.contains(key); });
        return start_dump(rtnetlink::Dump::routes);
      case rtnetlink::Dump::routes:
        std::erase_if(mirror.routes,
                      [&](const Route& route) { return !named_routes.contains(key_of(route)); });
        std::erase_if(mirror.defaults,
                      [&](const DefaultRoute& route) { return !named_defaults.contains(route); });
        return start_dump(rtnetlink::Dump::rules);
      case rtnetlink::Dump::rules:
        std::erase_if(mirror.rules, [&](const Rule& rule) { return !named_rules.contains(rule); });
        dump.reset();
    }
  }

  void forget_neighbours(const std::function<bool(const NeighbourKey&)>& which) {
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

  void hear(const NeighbourKey& key, const Neighbour* before, const Neighbour* now) {
    if (!wanted.contains(key)) {
      return;
    }
    last_macs.hear(key, before, now, Clock::now());
    settle();
  }

  void settle() {
    const auto next = last_macs.settle(Clock::now());
    if (!next || std::exchange(settle_timer_runs, true)) {
      return;
    }
    settle_timer.expires_at(*next);
    settle_timer.async_wait([self = weak_from_this()](const boost::system::error_code& error) {
      if (const auto impl = self.lock(); impl && !error) {
        impl->settle_timer_runs = false;
        impl->settle();
        impl->changed();
      }
    });
  }

  // --- Messages. The kernel fills a dump's message before it queues it, so an event that was queued earlier
  // may be newer than the dump's word on the same object: what an event named during a dump, the dump does
  // not change.

  template <typename Key>
  bool is_old_news(std::set<Key>& named, const Key& key, bool in_dump) {
    return dump && !named.insert(key).second && in_dump;
  }

  void handle(const nlmsghdr& message) {
    const bool in_dump = dump && message.nlmsg_seq == dump_sequence && message.nlmsg_pid == port_id;
    if (in_dump && (message.nlmsg_flags & NLM_F_DUMP_INTR) != 0) {
      again = true;
    }
    switch (message.nlmsg_type) {
      case NLMSG_DONE:
        if (in_dump) {
          end_dump();
        }
        break;
      case NLMSG_ERROR:
        handle_error(message, in_dump);
        break;
      case RTM_NEWLINK:
      case RTM_DELLINK:
        if (const auto parsed = rtnetlink::parse_link(message)) {
          apply(*parsed, in_dump);
        }
        break;
      case RTM_NEWADDR:
      case RTM_DELADDR:
        if (const auto parsed = rtnetlink::parse_address(message)) {
          apply(*parsed, in_dump);
        }
        break;
      case RTM_NEWNEIGH:
      case RTM_DELNEIGH:
        if (const auto parsed = rtnetlink::parse_neighbour(message)) {
          apply(*parsed, in_dump);
        }
        break;
      case RTM_NEWROUTE:
      case RTM_DELROUTE:
        if (const auto parsed = rtnetlink::parse_route(message)) {
          std::visit([&](const auto& route) { apply(*parsed, route, in_dump); }, parsed->route);
        }
        break;
      case RTM_NEWRULE:
      case RTM_DELRULE:
        if (const auto parsed = rtnetlink::parse_rule(message)) {
          apply(*parsed, in_dump);
        }
        break;
      case RTM_NEWNETCONF:
        if (const auto parsed = rtnetlink::parse_settings(message)) {
          apply(*parsed);
        }
        break;
      default:
        break;
    }
  }

  void apply(const rtnetlink::LinkMessage& message, bool in_dump) {
    const int index = message.link.index;
    if (is_old_news(named_links, index, in_dump)) {
      return;
    }
    if (!message.link.enabled) {
      lose_routes(index);
    }
    if (!message.link.up) {
      last_macs.forget(index);
    }
    if (!message.gone) {
      auto& link = mirror.links[index] = message.link;
      add_bus_below(link);
      return;
    }
    mirror.links.erase(index);
    unbind(index);
    mirror.addresses.erase(index);
    std::erase_if(mirror.own_addresses, [&](const auto& own) { return own.first == index; });
    forget_neighbours([&](const NeighbourKey& key) { return key.first == index; });
    last_macs.forget(index);
  }

  void unbind(int index) {
    if (std::erase_if(mirror.bound, [&](const auto& entry) { return entry.second == index; }) != 0) {
      ++mirror.returns[index];
    }
  }

  void apply(const rtnetlink::AddressMessage& message, bool in_dump) {
    if (is_old_news(named_addresses,
                    AddressKey{message.index, message.address.address, message.address.length}, in_dump)) {
      return;
    }
    auto& addresses = mirror.addresses[message.index];
    std::erase(addresses, message.address);
    mirror.own_addresses.erase({message.index, message.address});
    if (message.gone) {
      lose_routes(message.index);
    } else if (message.own) {
      mirror.own_addresses.emplace(message.index, message.address);
    }
    if (!message.gone) {
      addresses.push_back(message.address);
    } else if (addresses.empty()) {
      mirror.addresses.erase(message.index);
    }
  }

  void apply(const rtnetlink::NeighbourMessage& message, bool in_dump) {
    const NeighbourKey key{message.index, message.address};
    if (is_old_news(named_neighbours, key, in_dump)) {
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

  // The kernel drops a link's routes with the link or its addresses and does not say which.
  void lose_routes(int index) {
    const auto is_by_it = [&](const auto& route) { return route.link == index; };
    if (std::ranges::any_of(mirror.routes, is_by_it) || std::ranges::any_of(mirror.defaults, is_by_it)) {
      again = true;
    }
  }

  void apply(const rtnetlink::RouteMessage& message, const Route& route, bool in_dump) {
    if (is_old_news(named_routes, key_of(route), in_dump)) {
      return;
    }
    std::erase_if(mirror.routes, [&](const Route& old) { return key_of(old) == key_of(route); });
    if (!message.gone) {
      mirror.routes.insert(route);
    }
  }

  void apply(const rtnetlink::RouteMessage& message, const DefaultRoute& route, bool in_dump) {
    if (is_old_news(named_defaults, route, in_dump)) {
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

  void apply(const rtnetlink::RuleMessage& message, bool in_dump) {
    if (is_old_news(named_rules, message.rule, in_dump)) {
      return;
    }
    if (message.gone) {
      mirror.rules.erase(message.rule);
    } else {
      mirror.rules.insert(message.rule);
    }
  }

  void apply(const rtnetlink::SettingsMessage& message) {
    if (message.is_default) {
      mirror.default_forwarding = message.forwarding.value_or(mirror.default_forwarding);
    } else if (message.index == 0) {
      mirror.all_rp_filter = message.rp_filter.value_or(mirror.all_rp_filter);
    } else if (const auto link = mirror.links.find(message.index); link != mirror.links.end()) {
      link->second.forwarding = message.forwarding.value_or(link->second.forwarding);
      link->second.rp_filter = message.rp_filter.value_or(link->second.rp_filter);
    }
  }

  void handle_error(const nlmsghdr& message, bool in_dump) {
    if (mnl_nlmsg_get_payload_len(&message) < sizeof(nlmsgerr)) {
      return;
    }
    const int error = -static_cast<const nlmsgerr*>(mnl_nlmsg_get_payload(&message))->error;
    if (in_dump) {
      fail_dump(error);
      return;
    }
    if (auto request = requested.extract(message.nlmsg_seq)) {
      handle_answer(request.mapped(), error);
      return;
    }
    // A link or an entry that went away in between is an event that is already on its way.
    const bool expected = error == 0 || error == ENOENT || error == ENODEV || error == ENETDOWN;
    if (!expected && error != last_error) {
      last_error = error;
      spdlog::warn("the kernel refuses to keep a neighbour resolved: {}", std::strerror(error));
    }
  }

  // --- What is wanted.

  void keep(const Wanted& wanted) {
    const auto open = requests(wanted, mirror);
    std::set<std::string> texts;
    for (const auto& request : open) {
      texts.insert(request.text);
      if (!sent.emplace(request.way, request.text).second) {
        continue;
      }
      ask_for(request);
    }
    std::erase_if(mirror.refused, [&](const auto& entry) { return !texts.contains(entry.first); });
    if (open.empty() || std::exchange(keep_timer_runs, true)) {
      return;
    }
    keep_timer.expires_after(ask_again);
    keep_timer.async_wait([self = weak_from_this()](const boost::system::error_code& error) {
      if (const auto impl = self.lock(); impl && !error) {
        impl->keep_timer_runs = false;
        impl->sent.clear();
        impl->changed();
      }
    });
  }

  // rtnetlink does what it is asked within sendto(); the answer is read later.
  void ask_for(const Request& request) {
    alignas(nlmsghdr) std::array<char, 512> message{};
    const auto length = rtnetlink::write(message, request, ++sequence);
    requested[sequence] = request.text;
    send(message, length);
  }

  // What was granted is an event that is already on its way.
  void handle_answer(const std::string& what, int error) {
    if (error == 0) {
      mirror.refused.erase(what);
    } else if (error == ESRCH || error == ENOENT || error == ENODEV || error == ENETDOWN ||
               error == EADDRNOTAVAIL) {
      again = true;  // its link or its address went away, and it with them
    } else if (const auto reason = error == EEXIST ? "somebody else has made one" : std::strerror(error);
               std::exchange(mirror.refused[what], reason) != reason) {
      spdlog::warn("the kernel refuses {}: {}", what, reason);
    }
  }

  // --- The socket.

  bool send(std::span<const char> message, std::size_t length) {
    return mnl_socket_sendto(socket, message.data(), length) >= 0;
  }

  // Reads what is there. The kernel says ENOBUFS once for any number of messages that it could not queue.
  void read_all() {
    for (;;) {
      const auto received = mnl_socket_recvfrom(socket, buffer.data(), buffer.size());
      if (received < 0) {
        if (errno == EINTR) {
          continue;
        }
        if (errno == ENOBUFS || errno == ENOSPC) {
          again = true;
          continue;
        }
        break;
      }
      int left = static_cast<int>(received);
      const auto* message = reinterpret_cast<const nlmsghdr*>(buffer.data());
      while (mnl_nlmsg_ok(message, left)) {
        handle(*message);
        message = mnl_nlmsg_next(message, &left);
      }
    }
    // Not before the queue is empty: an event that stands in it is older than the dump, and those that
    // followed may be lost.
    if (again && !dump && failure.empty()) {
      start_round();
    }
  }

  void wait() {
    descriptor.async_wait(boost::asio::posix::descriptor_base::wait_read,
                          [self = weak_from_this()](const boost::system::error_code& error) {
                            const auto impl = self.lock();
                            if (!impl || error) {
                              return;
                            }
                            impl->read_all();
                            impl->ask();
                            impl->wait();
                            impl->changed();
                          });
  }

  auto first_round() -> tl::expected<void, std::string> {
    start_round();
    while (dump && failure.empty()) {
      pollfd ready{mnl_socket_get_fd(socket), POLLIN, 0};
      if (const int polled = ::poll(&ready, 1, dump_timeout_ms); polled == 0) {
        failure = "the kernel does not answer on netlink";
      } else if (polled > 0) {
        read_all();
      }
    }
    if (!failure.empty()) {
      return tl::unexpected(failure);
    }
    return {};
  }

  // --- Neighbours to keep resolved.

  [[nodiscard]] bool is_settled(const NeighbourKey& key) const {
    const auto found = mirror.neighbours.find(key);
    return found != mirror.neighbours.end() && found->second.usable &&
           (managed.contains(key) || permanent.contains(key));
  }

  // Asks for what is new or has lost its entry at once; again soon while the kernel has no entry of it (its table is full, say);
  // and once a second for what stays unresolved, or is not managed by the kernel (it is older than 5.16, or somebody replaced the
  // entry). Sleeps while all is well.
  void ask() {
    std::map<NeighbourKey, Clock::time_point> open;
    const auto now = Clock::now();
    std::chrono::milliseconds next = ask_again;
    for (const auto& key : wanted) {
      const auto link = mirror.links.find(key.first);
      // Entries vanish when a link goes down; a link that returned is asked at once. An operator's permanent
      // entry is his: NTF_USE would make it a dynamic one.
      if (link == mirror.links.end() || !link->second.up || is_settled(key) || permanent.contains(key)) {
        continue;
      }
      const auto pause = mirror.neighbours.contains(key) ? ask_again : ask_soon;
      next = std::min(next, pause);
      const auto last = asked.find(key);
      if (last == asked.end() || now - last->second >= pause) {
        resolve(key, true);
        open[key] = now;
      } else {
        open[key] = last->second;
      }
    }
    asked = std::move(open);
    const auto due = now + next;
    if ((asked.empty() && failure.empty()) || (timer_runs && timer.expiry() <= due)) {
      return;
    }
    timer_runs = true;
    timer.expires_at(due);
    timer.async_wait([self = weak_from_this()](const boost::system::error_code& error) {
      const auto impl = self.lock();
      if (!impl || error) {
        return;
      }
      impl->timer_runs = false;
      if (!std::exchange(impl->failure, {}).empty()) {
        impl->start_round();
      }
      impl->ask();
    });
  }

  void resolve(const NeighbourKey& key, bool manage) {
    alignas(nlmsghdr) std::array<char, 512> message{};
    send(message, rtnetlink::write_resolve(message, key.first, key.second, manage, ++sequence));
  }

  void release(const NeighbourKey& key) {
    if (managed.contains(key)) {
      resolve(key, false);
    }
  }

  boost::asio::posix::stream_descriptor descriptor;
  boost::asio::steady_timer timer;
  boost::asio::steady_timer keep_timer;
  boost::asio::steady_timer settle_timer;
  std::function<void()> changed;
  mnl_socket* socket = nullptr;
  std::vector<char> buffer = std::vector<char>(rtnetlink::longest_message);

  Mirror mirror;
  std::set<NeighbourKey> managed;
  std::set<NeighbourKey> permanent;
  std::string failure;
  int last_error = 0;

  std::uint32_t port_id = 0;
  std::uint32_t sequence = 0;
  std::optional<rtnetlink::Dump> dump;  // that runs
  std::uint32_t dump_sequence = 0;
  bool again = false;         // messages were lost: another round
  std::set<int> named_links;  // since the dump began, by it or by an event
  std::set<AddressKey> named_addresses;
  std::set<NeighbourKey> named_neighbours;
  std::set<RouteKey> named_routes;
  std::set<DefaultRoute> named_defaults;
  std::set<Rule> named_rules;

  std::set<NeighbourKey> wanted;
  std::map<NeighbourKey, Clock::time_point> asked;  // those that are not settled, and when last
  LastMacs last_macs{mirror.last_macs};
  bool timer_runs = false;

  std::map<std::uint32_t, std::string> requested;       // by sequence number, not answered yet
  std::set<std::pair<Request::Way, std::string>> sent;  // within this second
  bool keep_timer_runs = false;
  bool settle_timer_runs = false;
};

auto Netlink::open(boost::asio::io_context& io, std::function<void()> changed)
    -> tl::expected<std::unique_ptr<Netlink>, std::string> {
  auto impl = std::make_shared<Impl>(io, std::move(changed));
  impl->socket = mnl_socket_open2(NETLINK_ROUTE, SOCK_NONBLOCK | SOCK_CLOEXEC);
  // Before the dump: what changes while it runs is not missed.
  constexpr unsigned groups = RTMGRP_LINK | RTMGRP_IPV4_IFADDR | RTMGRP_NEIGH | RTMGRP_IPV4_ROUTE |
                              RTMGRP_IPV4_RULE | 1U << (RTNLGRP_IPV4_NETCONF - 1);
  if (impl->socket == nullptr || mnl_socket_bind(impl->socket, groups, MNL_SOCKET_AUTOPID) < 0) {
    return tl::unexpected(fmt::format("netlink cannot be opened: {}", std::strerror(errno)));
  }
  const int fd = mnl_socket_get_fd(impl->socket);
  if (setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &receive_buffer, sizeof(receive_buffer)) != 0) {
    setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &receive_buffer, sizeof(receive_buffer));
  }
  impl->port_id = mnl_socket_get_portid(impl->socket);
  if (const auto done = impl->first_round(); !done) {
    return tl::unexpected(done.error());
  }
  impl->descriptor.assign(fd);
  impl->wait();
  return std::unique_ptr<Netlink>(new Netlink(std::move(impl)));
}

Netlink::Netlink(std::shared_ptr<Impl> impl) noexcept : impl_(std::move(impl)) {}
Netlink::~Netlink() = default;

const Mirror& Netlink::mirror() const noexcept {
  return impl_->mirror;
}

void Netlink::bind(Mirror::Bindings bound) {
  impl_->mirror.bound = std::move(bound);
}

void Netlink::count_returns(std::map<int, unsigned> returns) {
  impl_->mirror.returns = std::move(returns);
}

void Netlink::keep(const Wanted& wanted) {
  impl_->keep(wanted);
}

void Netlink::set_forwarding(int link, bool forwarding) {
  impl_->ask_for({Request::Configure{link, {.forwarding = forwarding, .rp_filter = {}}}, Request::Way::add,
                  fmt::format("forwarding {} of link {}", forwarding ? 1 : 0, link)});
}

void Netlink::refresh() {
  if (impl_->dump || !impl_->failure.empty()) {
    impl_->again = true;
  } else {
    impl_->start_round();
  }
}

void Netlink::keep_resolved(const std::vector<NeighbourKey>& neighbours) {
  const std::set<NeighbourKey> wanted(neighbours.begin(), neighbours.end());
  for (const auto& old : impl_->wanted) {
    if (!wanted.contains(old)) {
      impl_->release(old);
    }
  }
  impl_->wanted = wanted;
  impl_->last_macs.keep_only(wanted);
  impl_->ask();
}

}  // namespace sekisho::netlink
