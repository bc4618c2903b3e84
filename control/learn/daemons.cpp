// SPDX-License-Identifier: BSD-3-Clause
#include "control/learn/daemons.hpp"

#include <fcntl.h>
#include <linux/rtnetlink.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <string>
#include <string_view>
#include <system_error>
#include <utility>

#include "common/base/fd.hpp"

namespace sekisho::learn {
namespace {

constexpr std::array<std::pair<std::uint8_t, std::string_view>, 7> daemons{{{RTPROT_STATIC, "staticd"},
                                                                            {RTPROT_BABEL, "babeld"},
                                                                            {RTPROT_BGP, "bgpd"},
                                                                            {RTPROT_ISIS, "isisd"},
                                                                            {RTPROT_OSPF, "ospfd"},
                                                                            {RTPROT_RIP, "ripd"},
                                                                            {RTPROT_EIGRP, "eigrpd"}}};

}  // namespace

auto daemons_of(const std::vector<std::uint8_t>& protocols) -> std::vector<std::string> {
  std::vector<std::string> result{"zebra"};
  for (const auto& [protocol, name] : daemons)
    if (std::ranges::find(protocols, protocol) != protocols.end())
      result.emplace_back(name);
  return result;
}

auto holder_of(const std::filesystem::path& pid_file) -> pid_t {
  const base::Fd file{::open(pid_file.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK)};
  if (file.get() < 0)
    return 0;
  struct flock lock {};
  lock.l_type = F_WRLCK;
  lock.l_whence = SEEK_SET;
  if (::fcntl(file.get(), F_GETLK, &lock) != 0 || lock.l_type == F_UNLCK)
    return 0;
  // One in another PID namespace has no number here.
  return lock.l_pid > 0 ? lock.l_pid : 1;
}

auto Daemons::look(Time now) -> Health {
  bool is_gone = false;
  bool runs_any = false;
  for (const auto& name : names_) {
    const auto pid = holder_of(folder_ / (name + ".pid"));
    const auto known = known_.find(name);
    if (known == known_.end()) {
      if (pid != 0)
        known_.emplace(name, Known{pid, now, looked_});
    } else if (known->second.pid != pid) {
      known->second = {pid, now, true};
    }
  }
  looked_ = true;
  for (auto& [name, known] : known_) {
    known.is_fresh = known.is_fresh && now < known.started + fresh;
    is_gone |= known.pid == 0 ? now < known.started + given_up : known.is_fresh;
    runs_any |= known.pid != 0;
  }
  return is_gone ? Health::gone : runs_any ? Health::well : Health::unknown;
}

void Daemons::on_caught_up() {
  for (auto& [name, known] : known_)
    known.is_fresh = false;
}

bool Daemons::runs(const std::string& name) const {
  const auto known = known_.find(name);
  return known != known_.end() && known->second.pid != 0;
}

// A daemon writes its pid file when it starts, and never again. (/proc would say the same, to who may look.)
auto Daemons::unheard() const -> std::vector<std::string> {
  std::vector<std::string> result;
  if (!runs("zebra"))
    return result;
  std::error_code error;
  const auto since = last_write_time(folder_ / "zebra.pid", error);
  for (const auto& [name, known] : known_) {
    const auto started = error ? since : last_write_time(folder_ / (name + ".pid"), error);
    if (known.pid != 0 && !error && started < since)
      result.push_back(name);
  }
  return result;
}

auto Daemons::gone() const -> std::vector<std::string> {
  std::vector<std::string> result;
  for (const auto& [name, known] : known_)
    if (known.pid == 0)
      result.push_back(name);
  return result;
}

}  // namespace sekisho::learn
