// SPDX-License-Identifier: BSD-3-Clause
#include "control/probe/attempt.hpp"

#include <sys/socket.h>

#include <array>
#include <boost/asio/error.hpp>
#include <cerrno>
#include <utility>

#include "common/base/prefix.hpp"
#include "control/probe/icmp.hpp"
#include "control/probe/tcp.hpp"

namespace sekisho::probe {

auto destinations(const reach::ProbeOrder& order) -> std::vector<Destination> {
  const auto& probe = order.probe;
  if (probe.through.empty()) {
    return {{order.member, probe.port, base::address_to_string(order.member)}};
  }
  std::vector<Destination> result;
  for (const auto& target : probe.through) {
    for (const auto address : target.addresses) {
      result.push_back({address, target.port, target.host});
    }
  }
  return result;
}

auto attempt(boost::asio::io_context& io, const reach::ProbeOrder& order, const Destination& destination,
             Attempt::Done done) -> std::shared_ptr<Attempt> {
  if (order.probe.type == config::Probe::Type::icmp) {
    return std::make_shared<IcmpAttempt>(io, order, std::move(done));
  }
  return std::make_shared<TcpAttempt>(io, order, destination, std::move(done));
}

auto answer_of(const boost::system::error_code& error) -> Answer {
  // Of connect(2) and send(2), where the network has no part in it: EPERM is a firewall of this host's own.
  constexpr std::array ours{EMFILE, ENFILE, ENOMEM, ENOBUFS, EPERM, EACCES, EADDRNOTAVAIL, EAGAIN, ENODEV};
  bool is_ours = false;
  for (const auto number : ours) {
    is_ours = is_ours || (error.category() == boost::system::system_category() && error.value() == number);
  }
  return {.came = false, .unsent = is_ours, .why = error.message()};
}

// The mark chooses the way (reach/probing.hpp). The link is named besides: should the rule be taken away at this moment, nothing
// leaves by another port.
auto send_by(int socket, const reach::ProbeOrder& order) -> boost::system::error_code {
  const auto mark = reach::mark_of(order.member);
  const bool done = setsockopt(socket, SOL_SOCKET, SO_MARK, &mark, sizeof(mark)) == 0 &&
                    setsockopt(socket, SOL_SOCKET, SO_BINDTOIFINDEX, &order.link, sizeof(order.link)) == 0;
  return done ? boost::system::error_code{}
              : boost::system::error_code{errno, boost::system::system_category()};
}

}  // namespace sekisho::probe
