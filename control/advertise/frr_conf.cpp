// SPDX-License-Identifier: BSD-3-Clause
#include "control/advertise/frr_conf.hpp"

#include <fmt/format.h>

#include <iterator>

#include "control/advertise/preset.hpp"

namespace sekisho::advertise {
namespace {

class Writer {
 public:
  Writer(const config::Bgp& bgp, const config::Guard& guard, std::span<const base::Prefix> advertised)
      : bgp_(bgp), guard_(guard), advertised_(advertised) {}

  auto write() && -> std::string {
    line("{} from [bgp] in sekisho.toml: edit that, and apply it again.", marker);
    line("! What is advertised does not stand here: sekisho-control tells FRR while it may be.");
    line("!");
    // A peer that the kernel's default leads to is reachable: Azure's route server, of which no subnet's route tells.
    line("ip nht resolve-via-default");
    // Else zebra switches it on whenever it starts, and the guard off again, at which frr-reload.py takes offence.
    if (guard_.whole_host) {
      line("no ipv6 forwarding");
    }
    line("!");
    write_filters();
    write_router();
    line("!");
    return std::move(text_);
  }

 private:
  template <typename... Parts>
  void line(fmt::format_string<Parts...> format, Parts&&... parts) {
    fmt::format_to(std::back_inserter(text_), format, std::forward<Parts>(parts)...);
    text_ += '\n';
  }

  static auto name_of(const config::BgpPeer& peer) { return base::address_to_string(peer.address); }

  // Exactly these go out, whatever else FRR has or is told to redistribute.
  void write_filters() {
    unsigned number = 0;
    for (const auto prefix : advertised_) {
      line("ip prefix-list sekisho-out seq {} permit {}", number += 5, base::to_string(prefix));
    }
    line("ip prefix-list sekisho-out seq {} deny any", number + 5);
    line("!");
    line("route-map sekisho-in permit 10");
    line(" set table {}", bgp_.learning.table);
    line("exit");
    for (const auto& peer : bgp_.peers) {
      line("!");
      line("route-map sekisho-out-{} permit 10", name_of(peer));
      line(" match ip address prefix-list sekisho-out");
      if (peer.prepend != 0) {
        text_ += " set as-path prepend";
        for (unsigned i = 0; i != peer.prepend; ++i) {
          text_ += fmt::format(" {}", bgp_.asn);
        }
        text_ += '\n';
      }
      if (peer.next_hop) {
        line(" set ip next-hop {}", base::address_to_string(*peer.next_hop));
      }
      line("exit");
    }
    line("!");
  }

  void write_router() {
    line("router bgp {}", bgp_.asn);
    if (bgp_.router_id) {
      line(" bgp router-id {}", base::address_to_string(*bgp_.router_id));
    }
    line(" bgp log-neighbor-changes");
    line(" no bgp default ipv4-unicast");
    // The kernel never has a route for what is advertised: it would take the place of the host's own.
    line(" no bgp network import-check");
    write_graceful_restart();
    for (const auto& peer : bgp_.peers) {
      write_session(peer);
    }
    line(" !");
    line(" address-family ipv4 unicast");
    for (const auto& peer : bgp_.peers) {
      write_family(peer);
    }
    line(" exit-address-family");
    line("exit");
  }

  // Without a word FRR keeps what a peer told that is restarted, and asks for nothing itself.
  void write_graceful_restart() {
    if (bgp_.graceful_restart.count() == 0) {
      return;
    }
    line(" bgp graceful-restart");
    // The dataplane forwards on without FRR, by what was learned and is held.
    line(" bgp graceful-restart preserve-fw-state");
    line(" bgp graceful-restart restart-time {}", bgp_.graceful_restart.count());
  }

  void write_session(const config::BgpPeer& peer) {
    const auto name = name_of(peer);
    const auto preset = preset_of(peer.preset);
    constexpr unsigned seconds_between_attempts = 10;  // FRR's own: 120
    line(" neighbor {} remote-as {}", name, peer.asn);
    line(" neighbor {} description {}", name, config::to_string(peer.preset));
    if (preset.hops) {
      line(" neighbor {} ebgp-multihop {}", name, *preset.hops);
    }
    if (preset.bfd) {
      line(" neighbor {} bfd", name);
    }
    if (preset.timers) {
      line(" neighbor {} timers {} {}", name, preset.timers->keepalive, preset.timers->hold);
    }
    line(" neighbor {} timers connect {}", name, seconds_between_attempts);
  }

  void write_family(const config::BgpPeer& peer) {
    const auto name = name_of(peer);
    constexpr unsigned minutes_until_again = 5;
    line("  neighbor {} activate", name);
    line("  neighbor {} route-map sekisho-in in", name);
    line("  neighbor {} route-map sekisho-out-{} out", name, name);
    // Twice what is learned at all: a peer that sends more than that has gone mad.
    line("  neighbor {} maximum-prefix {} restart {}", name, 2 * bgp_.learning.max_prefixes,
         minutes_until_again);
  }

  const config::Bgp& bgp_;
  const config::Guard& guard_;
  std::span<const base::Prefix> advertised_;
  std::string text_;
};

}  // namespace

auto frr_conf(const config::Bgp& bgp, const config::Guard& guard, std::span<const base::Prefix> advertised)
    -> std::string {
  return Writer{bgp, guard, advertised}.write();
}

}  // namespace sekisho::advertise
