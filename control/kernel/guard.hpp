// The kernel must never forward in our stead. The nftables table `inet sekisho` drops, in the forward hook, everything of
// IPv4 and IPv6 that comes from or goes to one of our ports. It is there before any port starts and stays when we
// crash or stop; only `sekisho guard off` removes it. Other forwarding on the host is not its business.
//
// One thing may pass: what the dataplane wrote to `sekisho0` for a configured exception, out of the exit and masqueraded,
// and the replies to it.
//
// Without it, a kernel with ip_forward=1 and a default route takes transit traffic past the firewall the moment the
// dataplane dies.
#pragma once

#include <boost/asio/io_context.hpp>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <tl/expected.hpp>
#include <vector>

#include "dataplane/fib/prefix.hpp"

namespace sekisho::kernel {

struct Guard {
  std::vector<std::string> netdevs;     // from and to which nothing is forwarded; sorted
  std::string exit;                     // the one of them by which exceptions leave; empty: none do
  std::vector<fib::Prefix> exceptions;  // sorted, none covers another
  bool everything = false;              // nothing at all is forwarded on this host
  friend bool operator==(const Guard&, const Guard&) = default;
};

// While one policy follows another: what either guards is guarded, what either lets out may leave. A guard against
// everything stood in for a policy that could not be read: it gives way to one that could.
[[nodiscard]] auto merge(const Guard& before, const Guard& after) -> Guard;

// Installs the table, or brings it to this, in one nftables transaction: there is no instant without it. An
// interface need not exist.
[[nodiscard]] auto guard_on(const Guard& guard) -> tl::expected<void, std::string>;
[[nodiscard]] auto guard_off() -> tl::expected<void, std::string>;
// What is guarded now; an error when there is no guard.
[[nodiscard]] auto guard_status() -> tl::expected<Guard, std::string>;

// Calls `changed` whenever somebody changes nftables (`nft flush ruleset`, a firewall's reload), so that the caller puts
// the guard back at once.
class GuardWatch {
 public:
  [[nodiscard]] static auto open(boost::asio::io_context& io, std::function<void()> changed)
      -> tl::expected<std::unique_ptr<GuardWatch>, std::string>;
  ~GuardWatch();
  GuardWatch(const GuardWatch&) = delete;
  GuardWatch& operator=(const GuardWatch&) = delete;

 private:
  struct Impl;
  explicit GuardWatch(std::shared_ptr<Impl> impl) noexcept;
  std::shared_ptr<Impl> impl_;
};

}  // namespace sekisho::kernel
