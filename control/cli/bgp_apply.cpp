// SPDX-License-Identifier: BSD-3-Clause
// FRR's own way to take a changed file, frr-reload.py, takes away whatever is not in it: what is advertised at this moment would be withdrawn.
// So the reload is given the file with that added.
#include "control/cli/bgp_apply.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <fmt/ranges.h>
#include <unistd.h>

#include <boost/asio/io_context.hpp>
#include <cerrno>
#include <csignal>
#include <cstdlib>
#include <filesystem>
#include <system_error>
#include <utility>
#include <vector>

#include "common/base/fd.hpp"
#include "common/base/file.hpp"
#include "common/base/write_whole.hpp"
#include "control/advertise/foreign.hpp"
#include "control/advertise/frr_conf.hpp"
#include "control/advertise/orders.hpp"
#include "control/cli/output.hpp"
#include "control/frr/vtysh.hpp"
#include "control/program/run.hpp"

namespace sekisho::cli {
namespace {

namespace fs = std::filesystem;

constexpr auto reload_program = "/usr/lib/frr/frr-reload.py";

// Nobody ends the command meanwhile but by SIGKILL: not with Ctrl-C, nor by closing the terminal.
class Uninterrupted {
 public:
  Uninterrupted() {
    sigset_t ends{};
    sigemptyset(&ends);
    for (const int signal : {SIGINT, SIGTERM, SIGHUP, SIGQUIT}) {
      sigaddset(&ends, signal);
    }
    pthread_sigmask(SIG_BLOCK, &ends, &before_);
  }
  ~Uninterrupted() { pthread_sigmask(SIG_SETMASK, &before_, nullptr); }
  Uninterrupted(const Uninterrupted&) = delete;
  Uninterrupted& operator=(const Uninterrupted&) = delete;

 private:
  sigset_t before_{};
};

class TemporaryFile {
 public:
  TemporaryFile() {
    // Where TMPDIR names no folder, /tmp is one. Others write there, too: mkostemp makes a file of a new name or fails, and follows nothing.
    std::error_code error;
    const auto folder = fs::temp_directory_path(error);
    name_ = ((error ? fs::path{"/tmp"} : folder) / "sekisho-frr-XXXXXX").native();
    file_ = base::Fd{::mkostemp(name_.data(), O_CLOEXEC)};
    error_ = file_.valid() ? 0 : errno;
  }
  ~TemporaryFile() {
    if (file_.valid()) {
      ::unlink(name_.c_str());
    }
  }
  TemporaryFile(const TemporaryFile&) = delete;
  TemporaryFile& operator=(const TemporaryFile&) = delete;

  auto write(std::string_view text) -> Outcome {
    if (error_ == 0 && !base::write_all(file_.get(), text)) {
      error_ = errno;
    }
    return error_ == 0 ? Outcome{}
                       : tl::unexpected{fmt::format("{} cannot be written: {}", name_,
                                                    std::generic_category().message(error_))};
  }
  [[nodiscard]] const std::string& name() const { return name_; }

 private:
  std::string name_;
  base::Fd file_;
  int error_ = 0;
};

// For whom its folder is: FRR reads as another user.
auto write(const fs::path& file, const std::string& text) -> Outcome {
  return base::write_whole(file, text, {.mode = 0640, .belongs_to_folder = true, .waits_for_disk = true});
}

auto run(program::Command command) -> program::Ended {
  boost::asio::io_context io;
  program::Ended result;
  const program::Run running{io, std::move(command),
                             [&](program::Ended ended) { result = std::move(ended); }};
  io.run();
  return result;
}

// With the `network` statements that FRR has by order of sekisho-control.
auto with_originated(const std::string& text, const std::vector<base::Prefix>& originated) -> std::string {
  constexpr std::string_view family = " address-family ipv4 unicast\n";
  auto result = text;
  const auto at = result.find(family);
  std::string lines;
  for (const auto prefix : originated) {
    lines += fmt::format("  network {}\n", base::to_string(prefix));
  }
  return at == std::string::npos ? result : result.insert(at + family.size(), lines);
}

// Makes FRR run with it. The error says with what it runs instead.
auto reload(const config::Bgp& bgp, const std::vector<base::Prefix>& advertised, const std::string& text)
    -> Outcome {
  const auto originated = advertise::originated_now(bgp.frr, advertised);
  if (!originated) {
    return tl::unexpected{originated.error().sentence};
  }
  if (::access(frr::bgpd_socket(bgp.frr).c_str(), F_OK) != 0) {
    return tl::unexpected{std::string{"FRR's bgpd is not running: it reads the file when it starts"}};
  }
  if (::access(reload_program, X_OK) != 0) {
    return tl::unexpected{std::string{
        "FRR runs with its former configuration: install frr-pythontools and apply again, or restart FRR"}};
  }
  TemporaryFile file;
  if (const auto written = file.write(with_originated(text, *originated)); !written) {
    return tl::unexpected{"FRR runs with its former configuration: " + written.error()};
  }
  program::Command command{
      .program = reload_program, .arguments = {"--reload"}, .limit = std::chrono::seconds{60}};
  if (!bgp.frr.empty()) {
    command.arguments.insert(command.arguments.end(), {"--pathspace", bgp.frr});
  }
  command.arguments.push_back(file.name());
  const auto ended = run(std::move(command));
  if (!ended.failure.empty()) {
    return tl::unexpected{fmt::format("{} {}{}", reload_program, ended.failure,
                                      first_line(ended).empty() ? "" : ": " + first_line(ended))};
  }
  return {};
}

// Writes it where FRR reads it, and makes FRR take it. What is wrong then, each as a sentence; the error: nothing has changed.
auto give_to_frr(const config::Bgp& bgp, const std::vector<base::Prefix>& advertised, const fs::path& place,
                 const std::string& text) -> tl::expected<std::vector<std::string>, std::string> {
  const Uninterrupted uninterrupted;
  if (auto written = write(place, text); !written) {
    return tl::unexpected{std::move(written.error())};
  }
  std::vector<std::string> faults;
  if (auto reloaded = reload(bgp, advertised, text); !reloaded) {
    faults.push_back(std::move(reloaded.error()));
  }
  // The reload has saved what FRR runs with there, what is advertised included: FRR would advertise that as soon as it starts.
  if (auto written = write(place, text); !written) {
    faults.push_back(std::move(written.error()));
  }
  if (!frr::starts_bgpd(bgp.frr)) {
    faults.emplace_back(
        "FRR does not start bgpd: write bgpd=yes in /etc/frr/daemons, then `systemctl restart frr`");
  }
  return faults;
}

}  // namespace

Outcome apply_bgp(const Context& context, const policy::Policy& policy, const std::string& file) {
  const auto& bgp = *policy.config.bgp;
  const auto text = advertise::frr_conf(bgp, policy.config.guard, policy.advertised);
  const fs::path place = file.empty() ? frr::configuration_file(bgp.frr) : fs::path{file};
  std::error_code error;
  if (fs::exists(place, error)) {
    const auto before = base::read_file(place);
    if (!before) {
      return tl::unexpected{before.error().to_string()};
    }
    if (advertise::is_foreign(*before)) {
      return tl::unexpected{fmt::format(
          "{} is not ours, and stays as it is: add what `sekisho bgp render` prints to it, or move it away",
          place.native())};
    }
  }
  using Faults = std::vector<std::string>;
  const auto faults = file.empty() ? give_to_frr(bgp, policy.advertised, place, text)
                                   : write(place, text).map([] { return Faults{}; });
  if (!faults) {
    return tl::unexpected{faults.error()};
  }
  const bool runs_with_it = file.empty() && faults->empty();
  constexpr auto taken = "FRR runs with it";
  if (context.json) {
    print_json(
        {{"file", place.native()}, {"frr", runs_with_it ? Json(taken) : Json(nullptr)}, {"faults", *faults}});
  } else {
    fmt::print("{} is written\n{}", place.native(), runs_with_it ? fmt::format("{}\n", taken) : "");
  }
  return faults->empty() ? Outcome{} : tl::unexpected{fmt::format("{}", fmt::join(*faults, "; "))};
}

}  // namespace sekisho::cli
