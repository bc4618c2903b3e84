#include "control/serve/server.hpp"

#include <grp.h>
#include <sys/stat.h>
#include <unistd.h>

#include <boost/asio/local/stream_protocol.hpp>
#include <map>
#include <stdexcept>
#include <utility>
#include <vector>

#include "common/ipc/door.hpp"
#include "common/ipc/seats.hpp"
#include "control/serve/cli_session.hpp"

namespace sekisho::serve {

using Protocol = boost::asio::local::stream_protocol;

struct Server::Impl {
  Impl(boost::asio::io_context& context, std::filesystem::path path, Backend& asked, Options with)
      : file(std::move(path)),
        options(std::move(with)),
        backend(asked),
        door(ipc::listen(context, file, options.access), fmt::format("clients of {}", file.string()),
             {.welcome = [this](Protocol::socket socket) { welcome(std::move(socket)); },
              .make_room = [this] { return make_room(); }}) {
    if (!options.admin_group.empty() && getgrnam(options.admin_group.c_str()) == nullptr) {
      throw std::runtime_error(
          fmt::format("there is no group \"{}\" for --admin-group", options.admin_group));
    }
    struct stat status {};
    if (::lstat(file.c_str(), &status) == 0) {
      inode = status.st_ino;
    }
  }

  void welcome(Protocol::socket socket) {
    auto role = Role::of(socket.native_handle(), options.admin_group);
    const bool is_owner = role.is_owner();
    auto session = std::make_shared<CliSession>(std::move(socket), std::move(role), backend, started_unix_ms,
                                                options.patience);
    const auto seating = ipc::find_seat(seats(), is_owner);
    if (!seating.is_admitted) {
      session->turn_away("sekisho-control is asked by too many at once: try again");
      return;
    }
    if (seating.leaves) {
      leave(*seating.leaves);
    }
    session->closed = [this, raw = session.get()] { sessions.erase(raw); };
    sessions.emplace(session.get(), session);
    session->start();
  }

  bool make_room() {
    const auto leaves = ipc::who_leaves(seats(), true);
    if (leaves) {
      leave(*leaves);
    }
    return leaves.has_value();
  }

  // In the order of `sessions`.
  [[nodiscard]] std::vector<ipc::Seat> seats() const {
    std::vector<ipc::Seat> seats;
    for (const auto& entry : sessions) {
      seats.push_back(entry.first->seat());
    }
    return seats;
  }

  void leave(std::size_t which) {
    const auto entry = std::next(sessions.begin(), static_cast<std::ptrdiff_t>(which));
    if (const auto session = entry->second.lock()) {
      session->close();
    }
  }

  ~Impl() {
    for (auto& [raw, weak] : std::exchange(sessions, {})) {
      if (const auto session = weak.lock()) {
        session->closed = nullptr;
        session->close();
      }
    }
    struct stat status {};  // what stands there now may be a successor's
    if (::lstat(file.c_str(), &status) == 0 && status.st_ino == inode) {
      ::unlink(file.c_str());
    }
  }

  std::filesystem::path file;
  Options options;
  Backend& backend;
  ino_t inode = 0;
  std::uint64_t started_unix_ms =
      static_cast<std::uint64_t>(std::chrono::duration_cast<std::chrono::milliseconds>(
                                     std::chrono::system_clock::now().time_since_epoch())
                                     .count());
  std::map<CliSession*, std::weak_ptr<CliSession>> sessions;
  ipc::Door<Protocol> door;
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
