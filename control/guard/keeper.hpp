// SPDX-License-Identifier: BSD-3-Clause
// Keeps the locks as they are to be while sekisho-control runs: put back at once when somebody takes one away, with a line
// in the log. Runs on the caller's io_context and waits for nothing but the kernel.
#pragma once

#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>
#include <cstdint>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <tl/expected.hpp>

#include "control/guard/guard.hpp"
#include "control/guard/ingress.hpp"
#include "control/guard/notice.hpp"
#include "control/guard/watch.hpp"
#include "control/netlink/netlink.hpp"

namespace sekisho::guard {

// How often each lock was put back.
struct Restored {
  std::uint64_t table = 0;
  std::uint64_t ingress = 0;
  std::uint64_t forwarding = 0;
};

class Keeper {
 public:
  // Puts the table of an earlier run back as it was, or closes everything where there is none. `netlink` outlives it.
  [[nodiscard]] static auto open(boost::asio::io_context& io, netlink::Netlink& netlink)
      -> tl::expected<std::unique_ptr<Keeper>, std::string>;

  // What an earlier run let out: the dataplane may still send it.
  [[nodiscard]] const Guard& found() const { return found_; }
  // From now on this, and what was ever guarded. To be called again whenever the mirror changed. An error is the table's:
  // what the kernel refuses is said in the log, and tried again every second.
  auto close(Guard wanted) -> tl::expected<void, std::string>;
  [[nodiscard]] const Guard& wanted() const { return wanted_; }
  [[nodiscard]] const Restored& restored() const { return restored_; }
  // Null: it could not be loaded.
  [[nodiscard]] const Ingress* ingress() const { return ingress_.get(); }

 private:
  Keeper(boost::asio::io_context& io, netlink::Netlink& netlink);
  auto install_wanted() -> tl::expected<void, std::string>;
  void look_at_table();
  void load_ingress();
  void close_ingress();
  void look_at_ingress();
  void close_forwarding();
  void look_regularly();

  netlink::Netlink& netlink_;
  boost::asio::steady_timer retry_;
  boost::asio::steady_timer regularly_;
  std::unique_ptr<Watch> tables_;
  std::unique_ptr<Watch> filters_;
  std::unique_ptr<Watch> ipv6_;
  Guard found_;
  Guard wanted_;
  std::string failure_;  // why the table is not as wanted; empty: it is
  Restored restored_;

  std::unique_ptr<Ingress> ingress_;
  std::map<int, std::string> ingress_on_;                // links that have it
  std::map<std::string, std::string> ingress_failures_;  // by interface, or of the whole under ""

  bool has_closed_forwarding_ = false;  // once; what forwards from then on, somebody switched on
  std::set<int> forwarding_;            // links that forwarded and must not when they were last looked at
  std::set<int> exits_;                 // links that forwarded by our will
  std::string default_failure_;         // why new links begin with forwarding on
  std::string ipv6_failure_;            // why the kernel forwards IPv6
  Notice forwarding_notice_;
  Notice ingress_notice_;
};

}  // namespace sekisho::guard
