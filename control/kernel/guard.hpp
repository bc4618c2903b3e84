// The kernel must never forward in our stead. The nftables table `inet sekisho` drops, in the forward hook, everything of
// IPv4 and IPv6 that comes from or goes to one of our ports. It is there before any port starts and stays when we
// crash or stop; only `sekisho guard off` removes it. Other forwarding on the host is not its business.
//
// Without it, a kernel with ip_forward=1 and a default route takes transit traffic past the firewall the moment the
// dataplane dies.
#pragma once

#include <boost/asio/io_context.hpp>
#include <functional>
#include <memory>
#include <string>
#include <tl/expected.hpp>
#include <vector>

namespace sekisho::kernel {

// Installs the table, or brings its set of interfaces to `netdevs`, in one nftables transaction: there is no
// instant without it. An interface need not exist.
[[nodiscard]] auto guard_on(const std::vector<std::string>& netdevs) -> tl::expected<void, std::string>;
[[nodiscard]] auto guard_off() -> tl::expected<void, std::string>;
// The interfaces guarded now; an error when there is no guard.
[[nodiscard]] auto guard_status() -> tl::expected<std::vector<std::string>, std::string>;

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
