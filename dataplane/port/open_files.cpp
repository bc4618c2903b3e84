#include "dataplane/port/open_files.hpp"

#include <fmt/format.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <charconv>
#include <cstdint>
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

// A mapping keeps the socket open when its descriptor is closed.
void unmap(const std::string& file) {
  std::vector<std::pair<std::uintptr_t, std::uintptr_t>> ranges;
  std::ifstream maps("/proc/self/maps");
  for (std::string line; std::getline(maps, line);) {
    std::pair<std::uintptr_t, std::uintptr_t> range{};
    const char* end = line.data() + line.size();
    const auto first = std::from_chars(line.data(), end, range.first, 16);
    if (line.ends_with(file) && first.ec == std::errc{} &&
        std::from_chars(first.ptr + 1, end, range.second, 16).ec == std::errc{}) {
      ranges.push_back(range);
    }
  }
  for (const auto& [begin, end] : ranges) {
    munmap(reinterpret_cast<void*>(begin), end - begin);
  }
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

void close_leftovers(const OpenFiles& files) {
  for (const auto& [fd, what] : files) {
    if (what.starts_with("socket:")) {
      unmap(what);
    }
    if (identity(fd) == what) {
      close(fd);
    }
  }
}

}  // namespace sekisho::port
