// SPDX-License-Identifier: BSD-3-Clause
// Whatever the kernel may say of routes: what is learned is sorted, bounded, and leads somewhere that is known. The bytes are netlink
// messages, one behind the other; the flags of each say whether it answers a listing, and when one begins and ends.
#include <libmnl/libmnl.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <variant>
#include <vector>

#include "control/learn/route_message.hpp"
#include "control/learn/store.hpp"

namespace {

constexpr std::size_t most = 16;

void check(bool holds) {
  if (!holds)
    std::abort();
}

void check(sekisho::learn::Store& store) {
  const auto learned = store.learned();
  check(learned->routes.size() <= most && store.size() == learned->routes.size());
  check(store.held() + store.vanished() <= store.size() && learned->held == store.held());
  const sekisho::route::LearnedRoute* before = nullptr;
  for (const auto& route : learned->routes) {
    check(route.way < learned->ways.size());
    check(route.prefix.length <= 32 && (route.prefix.address & ~route.prefix.mask()) == 0);
    check(before == nullptr || before->prefix < route.prefix);
    before = &route;
  }
  for (const auto& way : learned->ways)
    check(std::ranges::is_sorted(way.hops));
}

void apply(sekisho::learn::Store& store, const nlmsghdr& message, std::uint64_t now) {
  const auto said = sekisho::learn::parse(message);
  if (!said)
    return;
  if (const auto* route = std::get_if<sekisho::learn::RouteMessage>(&*said))
    store.apply(*route, (message.nlmsg_flags & NLM_F_MULTI) != 0, now);
  else if (const auto* object = std::get_if<sekisho::learn::ObjectMessage>(&*said))
    store.apply(*object);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  // Messages are aligned, as the kernel's are.
  std::vector<std::uint32_t> words(size / sizeof(std::uint32_t) + 1);
  std::memcpy(words.data(), data, size);
  sekisho::learn::Store store{{.table = 100, .protocols = {186}, .max_prefixes = most}};
  int left = static_cast<int>(size);
  std::uint64_t now = 0;
  const auto* message = reinterpret_cast<const nlmsghdr*>(words.data());
  // libmnl takes a length of more than 2 GB for a negative one.
  const auto fits = [&] {
    return mnl_nlmsg_ok(message, left) && message->nlmsg_len <= static_cast<unsigned>(left);
  };
  for (; fits(); message = mnl_nlmsg_next(message, &left)) {
    switch (message->nlmsg_type) {
      case NLMSG_NOOP:
        store.begin_listing();
        break;
      case NLMSG_DONE:
        store.end_listing();
        break;
      case NLMSG_ERROR:
        store.hold_vanished();
        break;
      case NLMSG_OVERRUN:
        store.forget_held();
        store.forget_vanished();
        break;
      default:
        apply(store, *message, ++now);
    }
    check(store);
  }
  return 0;
}
