// SPDX-License-Identifier: BSD-3-Clause
// FRR's own way to take a changed file, frr-reload.py, takes away whatever is not in it: what is advertised at this moment would be withdrawn.
// So the reload is given the file with that added.
#include "control/cli/bgp_apply.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <boost/asio/io_context.hpp>
#include <cerrno>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <system_error>

#include "common/base/fd.hpp"
#include "common/base/file.hpp"
#include "control/advertise/foreign.hpp"
#include "control/advertise/frr_conf.hpp"
#include "control/advertise/keeper.hpp"
#include "control/cli/output.hpp"
#include "control/frr/vtysh.hpp"
#include "control/program/run.hpp"

namespace sekisho::cli {
namespace {

namespace fs = std::filesystem;

constexpr auto reload_program = "/usr/lib/frr/frr-reload.py";

auto message_of(int error) -> std::string {
  return std::generic_category().message(error);
}

// Whole or not at all, for whom its folder is: FRR reads as another user.
auto write(const fs::path& file, const std::string& text) -> Outcome {
  struct stat folder {};
  const auto parent = file.parent_path().empty() ? fs::path{"."} : file.parent_path();
  const auto failed = [&] {
    return tl::unexpected{fmt::format("{} cannot be written: {}", file.native(), message_of(errno))};
  };
  if (::stat(parent.c_str(), &folder) != 0) {
    return failed();
  }
  const auto beside = file.native() + ".sekisho";
  const base::Fd written{::open(beside.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0640)};
  if (!written.valid() ||
      ::write(written.get(), text.data(), text.size()) != static_cast<ssize_t>(text.size()) ||
      (::geteuid() == 0 && ::fchown(written.get(), folder.st_uid, folder.st_gid) != 0) ||
      ::fsync(written.get()) != 0 || ::rename(beside.c_str(), file.c_str()) != 0) {
    auto result = failed();
    ::unlink(beside.c_str());
    return result;
  }
  return {};
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

// What has become of it, as a sentence.
auto reload(const config::Bgp& bgp, const std::vector<base::Prefix>& advertised, const std::string& text)
    -> tl::expected<std::string, std::string> {
  const auto originated = advertise::originated_now(bgp.frr, advertised);
  if (!originated) {
    return tl::unexpected{originated.error().sentence};
  }
  if (::access(frr::bgpd_socket(bgp.frr).c_str(), F_OK) != 0) {
    return std::string{"FRR's bgpd is not running: it reads the file when it starts"};
  }
  if (::access(reload_program, X_OK) != 0) {
    return std::string{
        "FRR runs with its former configuration: install frr-pythontools and apply again, or restart FRR"};
  }
  auto name = (fs::temp_directory_path() / "sekisho-frr-XXXXXX").native();
  const base::Fd file{::mkstemp(name.data())};
  const auto whole = with_originated(text, *originated);
  if (!file.valid() ||
      ::write(file.get(), whole.data(), whole.size()) != static_cast<ssize_t>(whole.size())) {
    return tl::unexpected{fmt::format("{} cannot be written: {}", name, message_of(errno))};
  }
  program::Command command{
      .program = reload_program, .arguments = {"--reload"}, .limit = std::chrono::seconds{60}};
  if (!bgp.frr.empty()) {
    command.arguments.insert(command.arguments.end(), {"--pathspace", bgp.frr});
  }
  command.arguments.push_back(name);
  const auto ended = run(std::move(command));
  ::unlink(name.c_str());
  if (!ended.failure.empty()) {
    return tl::unexpected{fmt::format("{} {}{}", reload_program, ended.failure,
                                      first_line(ended).empty() ? "" : ": " + first_line(ended))};
  }
  return std::string{"FRR runs with it"};
}

// Of the host's own FRR: which of its daemons start.
auto missing_daemons(const config::Bgp& bgp) -> std::string {
  if (!bgp.frr.empty()) {
    return {};
  }
  std::ifstream daemons{"/etc/frr/daemons"};
  for (std::string line; std::getline(daemons, line);) {
    if (line.starts_with("bgpd=yes")) {
      return {};
    }
  }
  return "FRR does not start bgpd: write bgpd=yes in /etc/frr/daemons, then `systemctl restart frr`";
}

}  // namespace

Outcome apply_bgp(const Context& context, const policy::Policy& policy, const std::string& file) {
  const auto& bgp = *policy.config.bgp;
  const auto text = advertise::frr_conf(bgp, policy.advertised);
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
  if (auto written = write(place, text); !written) {
    return written;
  }
  const auto said =
      file.empty() ? reload(bgp, policy.advertised, text) : tl::expected<std::string, std::string>{};
  // It has saved what FRR runs with there, what is advertised included.
  if (auto written = file.empty() ? write(place, text) : Outcome{}; !written) {
    return written;
  }
  const auto daemons = file.empty() ? missing_daemons(bgp) : std::string{};
  if (context.json) {
    print_json({{"file", place.native()},
                {"frr", said ? (said->empty() ? Json(nullptr) : Json(*said)) : Json(nullptr)},
                {"remedy", daemons.empty() ? Json(nullptr) : Json(daemons)}});
  } else {
    fmt::print("{} is written\n", place.native());
    for (const auto& line : {said.value_or(""), daemons}) {
      if (!line.empty()) {
        fmt::print("{}\n", line);
      }
    }
  }
  return said ? Outcome{} : tl::unexpected{said.error()};
}

}  // namespace sekisho::cli
