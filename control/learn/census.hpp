// SPDX-License-Identifier: BSD-3-Clause
// Whether the kernel has what BGP says it has. Pure, over what FRR's bgpd answers and what the kernel was counted to have.
//
// bgpd does not know what became of its routes: it tells zebra once, and zebra the kernel. After a zebra that was restarted alone
// the kernel keeps a tenth of them for good while bgpd says all. There is no end-of-RIB from zebra either, so that a table has been
// heard whole is a matter of looking several times: all sessions stand for a while, the kernel has as many routes as bgpd has taken
// from the peer that gave it most, and neither number moves.
#pragma once

#include <chrono>
#include <cstddef>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>

namespace sekisho::learn {

struct BgpSessions {
  std::size_t peers = 0;  // that are not shut down
  std::size_t established = 0;
  std::size_t prefixes = 0;              // taken from the peer that gave most
  std::chrono::milliseconds youngest{};  // session that is established
  friend bool operator==(const BgpSessions&, const BgpSessions&) = default;
};

// Of "show bgp ipv4 unicast summary json"; nothing: it is another text, or there is no BGP.
[[nodiscard]] auto parse_sessions(const nlohmann::json& summary) -> std::optional<BgpSessions>;

class Census {
 public:
  using Time = std::chrono::steady_clock::time_point;

  void hear(const BgpSessions& sessions, std::size_t in_kernel, Time now);
  // Nobody could be asked.
  void hear_nothing() { same_since_.reset(); }
  [[nodiscard]] bool is_caught_up(Time now) const;
  // One sentence; nothing: they agree, or it is too early to tell.
  [[nodiscard]] auto problem(std::uint32_t table, Time now) const -> std::optional<std::string>;

 private:
  static constexpr std::chrono::seconds settled{3};    // neither number moves
  static constexpr std::chrono::seconds grown_up{10};  // a session
  static constexpr std::chrono::seconds too_long{10};  // to differ

  BgpSessions sessions_;
  std::size_t in_kernel_ = 0;
  std::optional<Time> same_since_;
};

}  // namespace sekisho::learn
