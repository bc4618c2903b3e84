// SPDX-License-Identifier: BSD-3-Clause
// The user-space side of the steering program (steer.bpf.c). The PMD loads it (net_af_xdp's xdp_prog=), as it puts its sockets
// into the program's map; what it then attaches comes here first (attachment.hpp). Hence the steps prepare() - set_local(),
// set_sources() - the PMD starts its queues, install() - bind() - admit().
//
// A netdev that was ever steered is never without a program: a new one takes the old one's place in one step, knowing its
// addresses before it sees its first frame, and closing leaves it where it is. With nobody behind it transit is dropped, and ARP
// and local traffic work, after a crash (the sockets are gone) as after a clean close (revoke() was called). What it counts
// meanwhile the next one carries on.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <tl/expected.hpp>
#include <vector>

#include "common/base/fd.hpp"
#include "common/base/prefix.hpp"
#include "common/xdp/layout.h"
#include "common/xdp/program.hpp"
#include "dataplane/decide/host_sources.hpp"
#include "dataplane/steer/attachment.hpp"

namespace sekisho::steer {

// Errors are one sentence that begins with the netdev's name.
class Steering : private Attacher {
 public:
  // Refuses when a program is attached that is not ours, or ours by a process that lives; changes nothing.
  [[nodiscard]] static auto prepare(const std::string& netdev)
      -> tl::expected<std::unique_ptr<Steering>, std::string>;
  // After the PMD has closed its port: until then it would detach the program.
  ~Steering() override;
  Steering(const Steering&) = delete;
  Steering& operator=(const Steering&) = delete;

  // The object file for the PMD. It can be opened by this process until bind().
  [[nodiscard]] std::string program_path() const;

  // Why install() refused what the PMD had loaded; empty if it did not.
  [[nodiscard]] const std::string& refusal() const noexcept { return refused_; }

  // Whether the program that the PMD has loaded took the netdev, and all that it needs is there.
  [[nodiscard]] auto bind() -> tl::expected<void, std::string>;

  // Host byte order. Only the difference to the last call is written; an address in both is never missing.
  [[nodiscard]] auto set_local(const std::vector<std::uint32_t>& local) -> tl::expected<void, std::string>;
  // Whose packets to those addresses the kernel gets. Only the difference is written; longer prefixes come before shorter ones go.
  [[nodiscard]] auto set_sources(const decide::HostSources::Rules& sources)
      -> tl::expected<void, std::string>;
  [[nodiscard]] auto admit() -> tl::expected<void, std::string>;
  // Attaches the very same program again if somebody has removed it: true. Another one is not touched.
  [[nodiscard]] auto keep() -> tl::expected<bool, std::string>;
  // No frame goes to the sockets any more once this has returned.
  void revoke() noexcept;

  // By verdict, since the netdev was first steered: with what earlier programs counted there.
  [[nodiscard]] std::map<std::string, std::uint64_t> counters() const;
  // Of those, what went to the sockets of earlier programs.
  [[nodiscard]] std::uint64_t redirected_before() const noexcept;

  [[nodiscard]] int ifindex() const noexcept { return ifindex_; }

 private:
  Steering(std::string netdev, int ifindex, base::Fd object);
  int install(int program) noexcept override;
  auto take_place_of(const xdp::Program& old) -> tl::expected<void, int>;
  auto write_known() -> tl::expected<void, int>;
  auto write_source(base::Prefix prefix, decide::SourceVerdict verdict) -> tl::expected<void, int>;
  void settle() noexcept;
  int set_state(bool ready, bool owned) noexcept;  // 0 or an errno

  std::string netdev_;
  int ifindex_;
  base::Fd object_;
  std::uint64_t own_start_time_;
  std::uint64_t station_;
  xdp::Program program_;  // once installed
  std::string refused_;
  base::Fd state_;
  base::Fd local_map_;
  base::Fd sources_map_;
  base::Fd verdicts_;
  base::Fd replaced_verdicts_;  // of the program before, until it has run for the last time
  xdp::Counts before_{};        // what it had carried itself
  xdp::Counts carried_{};
  std::set<std::uint32_t> local_;
  std::map<base::Prefix, decide::SourceVerdict> sources_;
};

// What is counted on a netdev, whoever steers it; empty if nobody does.
[[nodiscard]] auto counters_of(const std::string& netdev) -> std::map<std::string, std::uint64_t>;

}  // namespace sekisho::steer
