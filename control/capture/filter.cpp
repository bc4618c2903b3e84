// SPDX-License-Identifier: BSD-3-Clause
#include "control/capture/filter.hpp"

#include <fmt/format.h>
#include <pcap/pcap.h>

#include <memory>

namespace sekisho::capture {

auto compile_filter(const std::string& expression) -> tl::expected<std::vector<std::uint64_t>, std::string> {
  constexpr int longest_frame = 65'535;
  const std::unique_ptr<pcap_t, decltype(&pcap_close)> dead{pcap_open_dead(DLT_EN10MB, longest_frame),
                                                            &pcap_close};
  bpf_program program{};
  if (dead == nullptr ||
      pcap_compile(dead.get(), &program, expression.c_str(), 1, PCAP_NETMASK_UNKNOWN) != 0) {
    return tl::unexpected(fmt::format("the filter \"{}\" is not understood: {}", expression,
                                      dead == nullptr ? "libpcap has no memory" : pcap_geterr(dead.get())));
  }
  const std::unique_ptr<bpf_program, decltype(&pcap_freecode)> owned{&program, &pcap_freecode};
  std::vector<std::uint64_t> instructions;
  for (u_int at = 0; at < program.bf_len; ++at) {
    const auto& [code, jt, jf, k] = program.bf_insns[at];
    instructions.push_back(std::uint64_t{code} << 48 | std::uint64_t{jt} << 40 | std::uint64_t{jf} << 32 | k);
  }
  return instructions;
}

}  // namespace sekisho::capture
