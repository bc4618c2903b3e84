// SPDX-License-Identifier: BSD-3-Clause
#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <boost/asio/io_context.hpp>
#include <cstdlib>
#include <exception>
#include <functional>
#include <new>
#include <string>
#include <utility>

#include <spdlog/spdlog.h>

#include "common/base/detached_read.hpp"
#include "common/base/memory_reserve.hpp"
#include "common/base/version.hpp"
#include "common/ipc/log.hpp"
#include "common/ipc/service_manager.hpp"
#include "control/reconcile/daemon.hpp"

namespace {

int run(sekisho::reconcile::Daemon::Options options) {
  try {
    boost::asio::io_context io;
    const auto daemon = sekisho::reconcile::Daemon::start(io, std::move(options));
    if (!daemon) {
      spdlog::error("{}", daemon.error());
      return 1;
    }
    const sekisho::ipc::ServiceManager manager{io, [](const std::function<void()>& alive) { alive(); }};
    io.run();
    if (const auto& failure = (*daemon)->failure(); !failure.empty()) {
      spdlog::error("{}", failure);
      return 1;
    }
  } catch (const std::bad_alloc&) {
    spdlog::error("out of memory");
    return 1;
  } catch (const std::exception& error) {
    spdlog::error("{}", error.what());
    return 1;
  }
  return 0;
}

}  // namespace

int main(int argc, char** argv) {
  sekisho::reconcile::Daemon::Options options;
  auto log_level = spdlog::level::info;
  auto log_format = sekisho::ipc::LogFormat::text;
  CLI::App app{
      "Sekisho's control plane: reads the configuration, follows the kernel's links, addresses and "
      "neighbours, and tells "
      "the dataplane what to forward where. SIGHUP reads the configuration again; SIGTERM stops it, and the "
      "dataplane "
      "goes on forwarding.",
      "sekisho-control"};
  app.set_version_flag("--version", fmt::format("sekisho-control {}", sekisho::base::version()));
  app.add_option("--config", options.config, "the configuration")->type_name("FILE")->capture_default_str();
  app.add_option("--dataplane-socket", options.dataplane_socket, "where the dataplane listens")
      ->type_name("PATH")
      ->capture_default_str();
  app.add_option("--socket", options.socket, "where to listen for the command `sekisho`")
      ->type_name("PATH")
      ->capture_default_str();
  app.add_flag(
      "--take-over", options.take_over,
      "command the dataplane although another sekisho-control does; without it this one ends and says which");
  app.add_option("--socket-group", options.socket_group,
                 "a group that may connect there and read, besides root: `show`, `explain`, `lookup`, "
                 "`monitor`, `history`, a dry run")
      ->type_name("GROUP");
  app.add_option("--admin-group", options.admin_group,
                 "a group that may also change what runs: `reload`, `rollback`, `route`, `drain`; its "
                 "members need be in "
                 "--socket-group, "
                 "too, if that is given")
      ->type_name("GROUP");
  app.add_option("--state-directory", options.state_directory,
                 "where to keep over a restart what was said at run time, `sekisho drain`, and the policies "
                 "that ran: "
                 "`sekisho history`")
      ->type_name("DIRECTORY")
      ->capture_default_str();
  app.add_option("--log-level", log_level, "what to print (default: info)")
      ->transform(CLI::CheckedTransformer(sekisho::ipc::log_levels).description(""))
      ->option_text("LEVEL:{debug,info,warning,error}");
  app.add_option("--log-format", log_format, "text, or an object a line on standard error (default: text)")
      ->transform(CLI::CheckedTransformer(sekisho::ipc::log_formats).description(""))
      ->option_text("FORMAT:{text,json}");
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    return app.exit(error) == 0 ? 0 : 2;
  }
  sekisho::ipc::set_up_log("sekisho-control", log_level, log_format);

  sekisho::base::keep_memory_reserve();
  const auto status = run(std::move(options));
  // A thread may still wait for a file that does not answer: nothing that it could use is taken from under it.
  if (sekisho::base::threads_that_read() != 0) {
    spdlog::shutdown();
    std::_Exit(status);
  }
  return status;
}
