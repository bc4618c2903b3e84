// SPDX-License-Identifier: BSD-3-Clause
#include "control/frr/vtysh.hpp"

#include <fmt/format.h>
#include <unistd.h>

#include <cctype>
#include <fstream>
#include <sstream>
#include <utility>

#include "common/base/text.hpp"

namespace sekisho::frr {
namespace {

using Kind = Failure::Kind;

auto with_name(std::filesystem::path folder, std::string_view instance) -> std::filesystem::path {
  return instance.empty() ? folder : folder / instance;
}

auto command(const std::string& instance, const std::vector<std::string>& commands,
             std::chrono::milliseconds limit) -> program::Command {
  program::Command result{.program = "vtysh", .limit = limit};
  constexpr std::size_t most = 64U << 20U;  // the routes of a whole table are not asked for
  result.most_output = most;
  if (!instance.empty()) {
    result.arguments = {"-N", instance};
  }
  result.arguments.insert(result.arguments.end(), {"-d", "bgpd"});
  for (const auto& each : commands) {
    result.arguments.insert(result.arguments.end(), {"-c", each});
  }
  return result;
}

auto of_instance(const std::string& instance) -> std::string {
  return instance.empty() ? "" : fmt::format(" of instance {}", base::in_quotes(instance));
}

auto no_connection(const std::string& instance) -> Failure {
  const auto socket = bgpd_socket(instance);
  if (::access(socket.c_str(), F_OK) != 0) {
    return {Kind::not_running, fmt::format("FRR's bgpd{} is not running: there is no {}",
                                           of_instance(instance), socket.native())};
  }
  if (::access(socket.c_str(), W_OK) != 0) {
    return {
        Kind::forbidden,
        fmt::format("this user may not speak to FRR at {}: it is not in the group frrvty", socket.native())};
  }
  return {Kind::not_running, fmt::format("FRR's bgpd{} is not running: nobody listens at {}",
                                         of_instance(instance), socket.native())};
}

// The line that tells: vtysh begins with what it found missing and can do without.
auto telling_line(const program::Ended& how) -> std::string {
  for (const auto* text : {&how.output, &how.errors}) {
    std::istringstream lines{*text};
    for (std::string line; std::getline(lines, line);) {
      if (!line.empty() && line.find("Can't open configuration file") == std::string::npos) {
        constexpr std::size_t longest = 200;
        return line.substr(0, longest);
      }
    }
  }
  return {};
}

}  // namespace

auto run_directory(std::string_view instance) -> std::filesystem::path {
  return with_name("/var/run/frr", instance);
}

auto configuration_file(std::string_view instance) -> std::filesystem::path {
  return with_name("/etc/frr", instance) / "frr.conf";
}

auto bgpd_socket(std::string_view instance) -> std::filesystem::path {
  return run_directory(instance) / "bgpd.vty";
}

bool starts_bgpd(std::string_view instance, const std::filesystem::path& daemons) {
  std::ifstream lines{daemons};
  if (!instance.empty() || !lines) {
    return true;
  }
  for (std::string line; std::getline(lines, line);) {
    if (line.starts_with("bgpd=yes")) {
      return true;
    }
  }
  return false;
}

auto meaning(const program::Ended& how, const std::string& instance, std::chrono::milliseconds limit)
    -> Result<std::string> {
  if (how.failure.empty()) {
    return how.output;
  }
  if (!how.was_found) {
    return tl::unexpected(Failure{Kind::absent, "FRR is not installed: there is no vtysh"});
  }
  if (how.took_too_long) {
    return tl::unexpected(Failure{
        Kind::hangs, fmt::format("FRR does not answer: vtysh had not ended after {:g} s and was killed",
                                 std::chrono::duration<double>(limit).count())});
  }
  if (how.said_too_much) {
    return tl::unexpected(Failure{Kind::broken, fmt::format("vtysh {}", how.failure)});
  }
  if (how.errors.find("failed to connect to any daemons") != std::string::npos) {
    return tl::unexpected(no_connection(instance));
  }
  const auto line = telling_line(how);
  if (line.find("Unknown command") != std::string::npos ||
      line.find("Ambiguous command") != std::string::npos ||
      line.find("Command incomplete") != std::string::npos) {
    return tl::unexpected(
        Failure{Kind::unknown, fmt::format("FRR does not know a command; is it another version? It says {}",
                                           base::in_quotes(line))});
  }
  if (!line.empty()) {
    return tl::unexpected(
        Failure{Kind::refused, fmt::format("FRR refused a command: {}", base::in_quotes(line))});
  }
  return tl::unexpected(Failure{Kind::broken, fmt::format("vtysh {}", how.failure)});
}

Vtysh::Vtysh(boost::asio::io_context& io, std::string instance, std::chrono::milliseconds limit)
    : io_(io), instance_(std::move(instance)), limit_(limit) {}

Vtysh::~Vtysh() = default;

void Vtysh::ask(std::vector<std::string> commands, Done done) {
  calls_.push_back({std::move(commands), std::move(done)});
  begin();
}

void Vtysh::begin() {
  if (!run_ && !calls_.empty()) {
    run_ = std::make_unique<program::Run>(io_, command(instance_, calls_.front().commands, limit_),
                                          [this](const program::Ended& how) { ended(how); });
  }
}

// `done` may ask again, or be the end of this.
void Vtysh::ended(const program::Ended& how) {
  run_.reset();
  const auto done = std::move(calls_.front().done);
  calls_.pop_front();
  auto result = meaning(how, instance_, limit_);
  begin();
  done(std::move(result));
}

auto ask_now(const std::string& instance, std::vector<std::string> commands, std::chrono::milliseconds limit)
    -> Result<std::string> {
  boost::asio::io_context io;
  Vtysh vtysh{io, instance, limit};
  Result<std::string> result = tl::unexpected(Failure{});
  vtysh.ask(std::move(commands), [&](Result<std::string> answer) { result = std::move(answer); });
  io.run();
  return result;
}

auto documents(std::string_view answer) -> Result<std::vector<nlohmann::json>> {
  std::vector<nlohmann::json> result;
  std::istringstream text{std::string{answer}};
  try {
    while (text >> std::ws, !text.eof()) {
      text >> result.emplace_back();
    }
  } catch (const nlohmann::json::exception&) {
    return tl::unexpected(
        Failure{Kind::broken, "FRR's answer is not the JSON that was asked for; is it another version?"});
  }
  return result;
}

}  // namespace sekisho::frr
