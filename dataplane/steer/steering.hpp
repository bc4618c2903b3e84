// The user-space side of the steering program (steer.bpf.c): clears the way for it, finds its maps once the
// PMD has loaded it, and speaks to them. The PMD must load it (net_af_xdp's xdp_prog=), as it puts its
// sockets into the program's map; hence the steps prepare() - PMD starts its queues - bind() - set_local() -
// admit().
//
// What a netdev does when there is nobody behind it:
//   crash         the program stays attached and has no sockets: transit is dropped, ARP and local traffic work
//   clean close   revoke() drops transit, then the PMD's close detaches the program. The netdev is the kernel's alone;
//                 that the kernel does not forward in our stead is the nftables guard's business, which control keeps
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <tl/expected.hpp>
#include <utility>
#include <vector>

namespace sekisho::steer {

// Owns a file descriptor.
class Fd {
 public:
  Fd() = default;
  explicit Fd(int fd) noexcept : fd_(fd) {}
  Fd(Fd&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
  Fd& operator=(Fd&& other) noexcept {
    std::swap(fd_, other.fd_);
    return *this;
  }
  ~Fd();
  [[nodiscard]] int get() const noexcept { return fd_; }
  [[nodiscard]] bool valid() const noexcept { return fd_ >= 0; }

 private:
  int fd_ = -1;
};

// Errors are one sentence that begins with the netdev's name.
class Steering {
 public:
  // Detaches the program that a crashed dataplane left on the netdev. Refuses when another program is
  // attached, or ours by a process that lives.
  [[nodiscard]] static auto prepare(const std::string& netdev)
      -> tl::expected<std::unique_ptr<Steering>, std::string>;

  // The object file for the PMD. It can be opened by this process until bind().
  [[nodiscard]] std::string program_path() const;

  // Finds the program that the PMD has attached, and says that it is this process's.
  [[nodiscard]] auto bind() -> tl::expected<void, std::string>;

  // Host byte order. Only the difference to the last call is written; an address in both is never missing.
  [[nodiscard]] auto set_local(const std::vector<std::uint32_t>& local) -> tl::expected<void, std::string>;
  [[nodiscard]] auto admit() -> tl::expected<void, std::string>;
  void revoke() noexcept;

  // By verdict, summed over CPUs.
  [[nodiscard]] std::map<std::string, std::uint64_t> counters() const;

 private:
  Steering(std::string netdev, int ifindex, Fd object);
  int set_ready(bool ready) noexcept;  // 0 or an errno

  std::string netdev_;
  int ifindex_;
  Fd object_;
  std::uint64_t own_start_time_;
  Fd state_;
  Fd local_map_;
  Fd verdicts_;
  std::set<std::uint32_t> local_;
};

}  // namespace sekisho::steer
