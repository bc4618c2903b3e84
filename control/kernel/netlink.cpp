#include "control/kernel/netlink.hpp"

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

#include "control/kernel/rtnetlink.hpp"

namespace sekisho::kernel {
namespace {

using NeighbourKey = std::pair<int, std::uint32_t>;
using AddressKey = std::tuple<int, std::uint32_t, std::uint8_t>;

constexpr int receive_buffer = 16 << 20;
constexpr std::chrono::seconds ask_again{1};
constexpr int dump_timeout_ms = 10'000;

}  // namespace

const Link* Mirror::link(const std::string& name) const {
  const auto found =
      std::ranges::find_if(links, [&](const auto& entry) { return entry.second.name == name; });
  return found == links.end() ? nullptr : &found->second;
}

struct Netlink::Impl : std::enable_shared_from_this<Netlink::Impl> {
  Impl(boost::asio::io_context& io, std::function<void()> on_change)
      : descriptor(io), timer(io), changed(std::move(on_change)) {}
  ~Impl() {
    if (descriptor.is_open()) {
      descriptor.release();
    }
    if (socket != nullptr) {
      mnl_socket_close(socket);
    }
  }

  // --- Dumps. A round is links, addresses, neighbours; what a round did not name is forgotten.

  void start_round() {
    again = false;
    start_dump(rtnetlink::Dump::links);
  }

  void start_dump(rtnetlink::Dump what) {
    dump = what;
    named_links.clear();
    named_addresses.clear();
    named_neighbours.clear();
    dump_sequence = ++sequence;
    alignas(nlmsghdr) std::array<char, 512> message{};
    if (!send(message, rtnetlink::write_dump(message, what, dump_sequence))) {
      fail_dump(errno);
    }
  }

  // Tried again by the timer.
  void fail_dump(int error) {
    failure =
        fmt::format("the kernel refuses to list links, addresses and neighbours: {}", std::strerror(error));
    dump.reset();
    again = true;
  }

  void end_dump() {
    switch (*dump) {
      case rtnetlink::Dump::links:
        std::erase_if(mirror.links, [&](const auto& entry) { return !named_links.contains(entry.first); });
        return start_dump(rtnetlink::Dump::addresses);
      case rtnetlink::Dump::addresses:
        for (auto& [index, addresses] : mirror.addresses) {
          std::erase_if(addresses, [&, link = index](const config::InterfaceAddress& address) {
            return !named_addresses.contains({link, address.address, address.length});
          });
        }
        std::erase_if(mirror.addresses, [](const auto& entry) { return entry.second.empty(); });
        return start_dump(rtnetlink::Dump::neighbours);
      case rtnetlink::Dump::neighbours:
        forget_neighbours([&](const NeighbourKey& key) { return !named_neighbours.contains(key); });
        dump.reset();
    }
  }

  void forget_neighbours(const std::function<bool(const NeighbourKey&)>& which) {
    std::erase_if(mirror.neighbours, [&](const auto& entry) { return which(entry.first); });
    std::erase_if(managed, which);
    std::erase_if(permanent, which);
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
      default:
        break;
    }
  }

  void apply(const rtnetlink::LinkMessage& message, bool in_dump) {
    const int index = message.link.index;
    if (is_old_news(named_links, index, in_dump)) {
      return;
    }
    if (!message.gone) {
      mirror.links[index] = message.link;
      return;
    }
    mirror.links.erase(index);
    mirror.addresses.erase(index);
    forget_neighbours([&](const NeighbourKey& key) { return key.first == index; });
  }

  void apply(const rtnetlink::AddressMessage& message, bool in_dump) {
    if (is_old_news(named_addresses,
                    AddressKey{message.index, message.address.address, message.address.length}, in_dump)) {
      return;
    }
    auto& addresses = mirror.addresses[message.index];
    std::erase(addresses, message.address);
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

  void handle_error(const nlmsghdr& message, bool in_dump) {
    if (mnl_nlmsg_get_payload_len(&message) < sizeof(nlmsgerr)) {
      return;
    }
    const int error = -static_cast<const nlmsgerr*>(mnl_nlmsg_get_payload(&message))->error;
    if (in_dump) {
      fail_dump(error);
      return;
    }
    // A link or an entry that went away in between is an event that is already on its way.
    const bool expected = error == 0 || error == ENOENT || error == ENODEV || error == ENETDOWN;
    if (!expected && error != last_error) {
      last_error = error;
      spdlog::warn("the kernel refuses to keep a neighbour resolved: {}", std::strerror(error));
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

  // Asks for what is new at once, and for what stays unresolved, or is not managed by the kernel (it is older
  // than 5.16, or somebody replaced the entry), once a second. Sleeps while all is well.
  void ask() {
    std::set<NeighbourKey> open;
    for (const auto& [netdev, address] : wanted) {
      const Link* link = mirror.link(netdev);
      const NeighbourKey key{link != nullptr ? link->index : 0, address};
      // Entries vanish when a link goes down; a link that returned is asked at once. An operator's permanent
      // entry is his: NTF_USE would make it a dynamic one.
      if (link == nullptr || !link->up || is_settled(key) || permanent.contains(key)) {
        continue;
      }
      open.insert(key);
      if (!asked.contains(key)) {
        resolve(key, true);
      }
    }
    asked = std::move(open);
    if ((!asked.empty() || !failure.empty()) && !timer_runs) {
      timer_runs = true;
      timer.expires_after(ask_again);
      timer.async_wait([self = weak_from_this()](const boost::system::error_code& error) {
        const auto impl = self.lock();
        if (!impl || error) {
          return;
        }
        impl->timer_runs = false;
        if (!std::exchange(impl->failure, {}).empty()) {
          impl->start_round();
        }
        impl->asked.clear();
        impl->ask();
      });
    }
  }

  void resolve(const NeighbourKey& key, bool manage) {
    alignas(nlmsghdr) std::array<char, 512> message{};
    send(message, rtnetlink::write_resolve(message, key.first, key.second, manage, ++sequence));
  }

  void release(const std::string& netdev, std::uint32_t address) {
    const Link* link = mirror.link(netdev);
    if (link != nullptr && managed.contains({link->index, address})) {
      resolve({link->index, address}, false);
    }
  }

  boost::asio::posix::stream_descriptor descriptor;
  boost::asio::steady_timer timer;
  std::function<void()> changed;
  mnl_socket* socket = nullptr;
  std::vector<char> buffer = std::vector<char>(65536);

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

  std::set<std::pair<std::string, std::uint32_t>> wanted;
  std::set<NeighbourKey> asked;  // within this second
  bool timer_runs = false;
};

auto Netlink::open(boost::asio::io_context& io, std::function<void()> changed)
    -> tl::expected<std::unique_ptr<Netlink>, std::string> {
  auto impl = std::make_shared<Impl>(io, std::move(changed));
  impl->socket = mnl_socket_open2(NETLINK_ROUTE, SOCK_NONBLOCK | SOCK_CLOEXEC);
  // Before the dump: what changes while it runs is not missed.
  constexpr unsigned groups = RTMGRP_LINK | RTMGRP_IPV4_IFADDR | RTMGRP_NEIGH;
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

void Netlink::keep_resolved(const std::vector<std::pair<std::string, std::uint32_t>>& netdev_and_address) {
  const std::set<std::pair<std::string, std::uint32_t>> wanted(netdev_and_address.begin(),
                                                               netdev_and_address.end());
  for (const auto& old : impl_->wanted) {
    if (!wanted.contains(old)) {
      impl_->release(old.first, old.second);
    }
  }
  impl_->wanted = wanted;
  impl_->ask();
}

}  // namespace sekisho::kernel
