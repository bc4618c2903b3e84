// SPDX-License-Identifier: BSD-3-Clause
// A filter as tcpdump takes it ("host 10.0.0.1 and tcp port 443"), compiled by libpcap for Ethernet frames.
#pragma once

#include <cstdint>
#include <string>
#include <tl/expected.hpp>
#include <vector>

namespace sekisho::capture {

// As the dataplane is told: an instruction each, code << 48 | jt << 40 | jf << 32 | k. libpcap's own words when it is none.
// A name in it is looked up, which may take a while.
[[nodiscard]] auto compile_filter(const std::string& expression)
    -> tl::expected<std::vector<std::uint64_t>, std::string>;

}  // namespace sekisho::capture
