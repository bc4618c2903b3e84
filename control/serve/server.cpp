// SPDX-License-Identifier: BSD-3-Clause
#include "control/serve/server.hpp"

#include <fmt/format.h>
#include <grp.h>

#include <chrono>
#include <stdexcept>
#include <utility>

#include "common/base/unix_time.hpp"
#include "common/ipc/clients.hpp"
#include "control/serve/cli_session.hpp"

namespace sekisho::serve {

struct Server::Impl {
  Impl(boost::asio::io_context& io, const std::filesystem::path& socket, Backend& asked, Options with)
      : options(std::move(with)),
        backend(asked),
        clients(io, socket, options.access,
                {.meet = [this](CliSession::Socket client) { return meet(std::move(client)); },
                 .refusal = "sekisho-control is asked by too many at once: try again"}) {
    if (!options.admin_group.empty() && getgrnam(options.admin_group.c_str()) == nullptr) {
      throw std::runtime_error(
          fmt::format("there is no group \"{}\" for --admin-group", options.admin_group));
    }
  }

  auto meet(CliSession::Socket client) -> std::shared_ptr<CliSession> {
    auto role = Role::of(client.native_handle(), options.admin_group);
    auto session = std::make_shared<CliSession>(std::move(client), std::move(role), backend, started_unix_ms,
                                                options.patience);
    session->closed = [this, raw = session.get()] { clients.forget(*raw); };
    return session;
  }

  Options options;
  Backend& backend;
  std::uint64_t started_unix_ms = base::now_unix_ms();
  ipc::Clients<CliSession> clients;
};

Server::Server(std::unique_ptr<Impl> impl) noexcept : impl_(std::move(impl)) {}
Server::~Server() = default;

auto Server::listen(boost::asio::io_context& io, const std::filesystem::path& socket, Backend& backend,
                    Options options) -> tl::expected<std::unique_ptr<Server>, std::string> {
  try {
    return std::unique_ptr<Server>{
        new Server{std::make_unique<Impl>(io, socket, backend, std::move(options))}};
  } catch (const std::runtime_error& error) {
    return tl::unexpected{std::string{error.what()}};
  }
}

}  // namespace sekisho::serve
