// SPDX-License-Identifier: BSD-3-Clause
#include "control/netlink/netlink.hpp"

#include <fmt/format.h>
#include <linux/rtnetlink.h>
#include <spdlog/spdlog.h>

#include <algorithm>
#include <boost/asio/steady_timer.hpp>
#include <cerrno>
#include <chrono>
#include <cstring>
#include <optional>
#include <set>
#include <utility>

#include "control/netlink/reader.hpp"
#include "control/netlink/wanted.hpp"

namespace sekisho::netlink {
namespace {

using Clock = std::chrono::steady_clock;
using rtnetlink::Dump;

constexpr std::chrono::milliseconds ask_again{1000};
constexpr std::chrono::milliseconds ask_soon{100};

}  // namespace

// What the kernel says is the reader's; what it is asked for is here.
struct Netlink::Impl : std::enable_shared_from_this<Netlink::Impl> {
  struct Alarm {
    boost::asio::steady_timer timer;
    bool runs = false;
  };

  Impl(boost::asio::io_context& io, Socket socket, std::function<void()> on_change)
      : reader(std::move(socket),
               {Dump::links, Dump::settings, Dump::addresses, Dump::neighbours, Dump::routes, Dump::rules},
               [this](std::uint32_t sequence, int error) { handle_answer(sequence, error); }),
        changed(std::move(on_change)),
        resolve_alarm{boost::asio::steady_timer{io}},
        keep_alarm{boost::asio::steady_timer{io}},
        settle_alarm{boost::asio::steady_timer{io}} {}

  // `then` at this time, unless the alarm rings before.
  void set(Alarm& alarm, Clock::time_point when, void (Impl::*then)()) {
    if (alarm.runs && alarm.timer.expiry() <= when) {
      return;
    }
    alarm.runs = true;
    alarm.timer.expires_at(when);
    alarm.timer.async_wait([self = weak_from_this(), &alarm, then](const boost::system::error_code& error) {
      if (const auto impl = self.lock(); impl && !error) {
        alarm.runs = false;
        (impl.get()->*then)();
      }
    });
  }

  void read() {
    reader.read();
    settle();
    resolve();
    changed();
  }

  void settle() {
    if (const auto next = reader.last_macs.settle(Clock::now())) {
      set(settle_alarm, *next, &Impl::settle_now);
    }
  }
  void settle_now() {
    settle();
    changed();
  }

  // --- What is wanted.

  void keep(const Wanted& wanted) {
    const auto open = requests(wanted, reader.mirror);
    std::set<std::string> texts;
    for (const auto& request : open) {
      texts.insert(request.text);
      if (sent.emplace(request.way, request.text).second) {
        ask_for(request);
      }
    }
    std::erase_if(reader.mirror.refused, [&](const auto& entry) { return !texts.contains(entry.first); });
    if (!open.empty()) {
      set(keep_alarm, Clock::now() + ask_again, &Impl::keep_again);
    }
  }
  void keep_again() {
    sent.clear();
    changed();
  }

  // rtnetlink does what it is asked within sendto(); the answer is read later.
  void ask_for(const Request& request) {
    const auto sequence = reader.next_sequence();
    requested[sequence] = request.text;
    reader.socket().send(rtnetlink::write(request, sequence));
  }

  void handle_answer(std::uint32_t sequence, int error) {
    if (const auto request = requested.extract(sequence)) {
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

  // What was granted is an event that is already on its way.
  void handle_answer(const std::string& what, int error) {
    if (error == 0) {
      reader.mirror.refused.erase(what);
    } else if (error == ESRCH || error == ENOENT || error == ENODEV || error == ENETDOWN ||
               error == EADDRNOTAVAIL) {
      reader.repeat();  // its link or its address went away, and it with them
    } else if (const auto reason = error == EEXIST ? "somebody else has made one" : std::strerror(error);
               std::exchange(reader.mirror.refused[what], reason) != reason) {
      spdlog::warn("the kernel refuses {}: {}", what, reason);
    }
  }

  // --- Neighbours to keep resolved.

  // An operator's permanent entry is his: NTF_USE would make it a dynamic one.
  [[nodiscard]] bool is_settled(const NeighbourKey& key) const {
    const auto found = reader.mirror.neighbours.find(key);
    return reader.permanent.contains(key) ||
           (found != reader.mirror.neighbours.end() && found->second.usable && reader.managed.contains(key));
  }

  // Asks for what is new or has lost its entry at once; again soon while the kernel has no entry of it (its table is full, say);
  // and once a second for what stays unresolved, or is not managed by the kernel (it is older than 5.16, or somebody replaced the
  // entry). Sleeps while all is well.
  void resolve() {
    std::map<NeighbourKey, Clock::time_point> open;
    const auto now = Clock::now();
    std::chrono::milliseconds next = ask_again;
    for (const auto& key : neighbours) {
      const auto link = reader.mirror.links.find(key.first);
      // Entries vanish when a link goes down; a link that returned is asked at once.
      if (link == reader.mirror.links.end() || !link->second.up || is_settled(key)) {
        continue;
      }
      const auto pause = reader.mirror.neighbours.contains(key) ? ask_again : ask_soon;
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
    if (!asked.empty() || reader.has_failed()) {
      set(resolve_alarm, now + next, &Impl::resolve_again);
    }
  }
  void resolve_again() {
    if (reader.has_failed()) {
      reader.retry();
    }
    resolve();
  }

  void resolve(const NeighbourKey& key, bool managed) {
    reader.socket().send(rtnetlink::resolve(key, managed, reader.next_sequence()));
  }

  void keep_resolved(std::set<NeighbourKey> wanted) {
    for (const auto& old : neighbours) {
      if (!wanted.contains(old) && reader.managed.contains(old)) {
        resolve(old, false);
      }
    }
    reader.remember(wanted);
    neighbours = std::move(wanted);
    resolve();
  }

  Reader reader;
  std::optional<Listener> listener;
  std::function<void()> changed;
  Alarm resolve_alarm;
  Alarm keep_alarm;
  Alarm settle_alarm;

  std::set<NeighbourKey> neighbours;
  std::map<NeighbourKey, Clock::time_point> asked;  // those that are not settled, and when last
  int last_error = 0;

  std::map<std::uint32_t, std::string> requested;       // by sequence number, not answered yet
  std::set<std::pair<Request::Way, std::string>> sent;  // within this second
};

auto Netlink::open(boost::asio::io_context& io, std::function<void()> changed)
    -> tl::expected<std::unique_ptr<Netlink>, std::string> {
  // Before the dump: what changes while it runs is not missed.
  auto socket = Socket::open(NETLINK_ROUTE, {RTNLGRP_LINK, RTNLGRP_IPV4_IFADDR, RTNLGRP_NEIGH,
                                             RTNLGRP_IPV4_ROUTE, RTNLGRP_IPV4_RULE, RTNLGRP_IPV4_NETCONF});
  if (!socket) {
    return tl::unexpected(fmt::format("netlink cannot be opened: {}", socket.error()));
  }
  auto impl = std::make_shared<Impl>(io, std::move(*socket), std::move(changed));
  if (const auto done = impl->reader.read_round(); !done) {
    return tl::unexpected(done.error());
  }
  impl->listener.emplace(io, impl->reader.socket(), [impl = impl.get()] { impl->read(); });
  return std::unique_ptr<Netlink>(new Netlink(std::move(impl)));
}

Netlink::Netlink(std::shared_ptr<Impl> impl) noexcept : impl_(std::move(impl)) {}
Netlink::~Netlink() = default;

const Mirror& Netlink::mirror() const noexcept {
  return impl_->reader.mirror;
}

void Netlink::bind(Mirror::Bindings bound) {
  impl_->reader.mirror.bound = std::move(bound);
}

void Netlink::count_returns(std::map<int, unsigned> returns) {
  impl_->reader.mirror.returns = std::move(returns);
}

void Netlink::keep(const Wanted& wanted) {
  impl_->keep(wanted);
}

void Netlink::set_forwarding(int link, bool forwarding) {
  impl_->ask_for({Request::Configure{link, {.forwarding = forwarding}}, Request::Way::add,
                  fmt::format("forwarding {} of link {}", forwarding ? 1 : 0, link)});
}

void Netlink::refresh() {
  impl_->reader.refresh();
}

void Netlink::keep_resolved(const std::vector<NeighbourKey>& neighbours) {
  impl_->keep_resolved({neighbours.begin(), neighbours.end()});
}

}  // namespace sekisho::netlink
