// SPDX-License-Identifier: BSD-3-Clause
// DPDK 22.11's net_af_xdp does not give back all it opens: its close frees the array of queues after the
// first one, so that the sockets of the others stay open and their queues bound, and it forgets the BPF
// object it loaded. Opening such a port again in the same process would find its queues busy. So Port notes
// which files the PMD opened, by what they are and not by number alone, and closes what is left of them.
#pragma once

#include <cstdint>
#include <map>
#include <set>
#include <string>
#include <string_view>
#include <vector>

namespace sekisho::port {

// AF_XDP sockets and BPF objects that this process has open: file descriptor -> what it is.
using OpenFiles = std::map<int, std::string>;

[[nodiscard]] OpenFiles kernel_files();
[[nodiscard]] OpenFiles files_since(const OpenFiles& before);
[[nodiscard]] std::vector<int> sockets_of(const OpenFiles& files);

// A piece of a file in this process's memory; an AF_XDP socket's ring is told by its offset.
struct MappedRange {
  std::uintptr_t begin = 0;
  std::uintptr_t end = 0;
  std::uint64_t offset = 0;
};
[[nodiscard]] std::vector<MappedRange> mapped_ranges(std::string_view file);

// AF_XDP sockets whose fill ring is mapped, by what OpenFiles calls them: also those that have no file descriptor any more.
[[nodiscard]] std::set<std::string> mapped_sockets();

// Unmaps the rings and closes the descriptor of each that still is what it was.
void close_leftovers(const OpenFiles& files);

}  // namespace sekisho::port
