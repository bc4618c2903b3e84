// SPDX-License-Identifier: BSD-3-Clause
#include "dataplane/port/open_files.hpp"

#include <fmt/format.h>
#include <linux/if_xdp.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <cinttypes>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <string_view>

namespace sekisho::port {
namespace {

bool is_xdp_socket(int fd) noexcept {
  int domain = 0;
  socklen_t length = sizeof domain;
  return getsockopt(fd, SOL_SOCKET, SO_DOMAIN, &domain, &length) == 0 && domain == AF_XDP;
}

// Empty for a file that is none of ours to care about. "socket:[INODE]", or the kind and kernel id of a BPF
// object.
std::string identity(int fd) {
  std::array<char, 64> target{};
  const auto length = readlink(fmt::format("/proc/self/fd/{}", fd).c_str(), target.data(), target.size());
  if (length <= 0) {
    return {};
  }
  const std::string_view link(target.data(), static_cast<std::size_t>(length));
  if (link.starts_with("socket:")) {
    return is_xdp_socket(fd) ? std::string(link) : std::string{};
  }
  if (!link.starts_with("anon_inode:bpf") && !link.starts_with("anon_inode:btf")) {
    return {};
  }
  std::ifstream info(fmt::format("/proc/self/fdinfo/{}", fd));
  for (std::string line; std::getline(info, line);) {
    if (line.starts_with("map_id:") || line.starts_with("prog_id:") || line.starts_with("btf_id:")) {
      return line;
    }
  }
  return {};
}

}  // namespace

OpenFiles kernel_files() {
  OpenFiles files;
  for (const auto& entry : std::filesystem::directory_iterator("/proc/self/fd")) {
    const int fd = std::stoi(entry.path().filename());
    if (auto what = identity(fd); !what.empty()) {
      files.emplace(fd, std::move(what));
    }
  }
  return files;
}

OpenFiles files_since(const OpenFiles& before) {
  auto files = kernel_files();
  std::erase_if(files, [&](const auto& file) {
    const auto old = before.find(file.first);
    return old != before.end() && old->second == file.second;
  });
  return files;
}

std::vector<int> sockets_of(const OpenFiles& files) {
  std::vector<int> sockets;
  for (const auto& [fd, what] : files) {
    if (what.starts_with("socket:")) {
      sockets.push_back(fd);
    }
  }
  return sockets;
}

namespace {

struct Mapping {
  MappedRange range;
  std::string file;
};

std::vector<Mapping> mappings() {
  std::vector<Mapping> all;
  std::ifstream maps("/proc/self/maps");
  for (std::string line; std::getline(maps, line);) {
    MappedRange range;
    int file_at = 0;
    if (std::sscanf(line.c_str(), "%" SCNxPTR "-%" SCNxPTR " %*s %" SCNx64 " %*s %*s %n", &range.begin,
                    &range.end, &range.offset, &file_at) == 3) {
      all.push_back({range, line.substr(static_cast<std::size_t>(file_at))});
    }
  }
  return all;
}

}  // namespace

std::vector<MappedRange> mapped_ranges(std::string_view file) {
  std::vector<MappedRange> ranges;
  for (const auto& mapping : mappings()) {
    if (mapping.file == file) {
      ranges.push_back(mapping.range);
    }
  }
  return ranges;
}

std::set<std::string> mapped_sockets() {
  std::set<std::string> sockets;
  for (const auto& [range, file] : mappings()) {
    if (range.offset == XDP_UMEM_PGOFF_FILL_RING && file.starts_with("socket:")) {
      sockets.insert(file);
    }
  }
  return sockets;
}

void close_leftovers(const OpenFiles& files) {
  for (const auto& [fd, what] : files) {
    if (what.starts_with("socket:")) {
      // A mapping keeps the socket open when its descriptor is closed.
      for (const auto& range : mapped_ranges(what)) {
        munmap(reinterpret_cast<void*>(range.begin), range.end - range.begin);
      }
    }
    if (identity(fd) == what) {
      close(fd);
    }
  }
}

}  // namespace sekisho::port
