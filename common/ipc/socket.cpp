// SPDX-License-Identifier: BSD-3-Clause
#include "common/ipc/socket.hpp"

#include <fmt/format.h>
#include <grp.h>
#include <pwd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <stdexcept>
#include <string>
#include <system_error>

#include "common/ipc/lock.hpp"

namespace sekisho::ipc {
namespace {

namespace asio = boost::asio;
using asio::local::stream_protocol;

[[noreturn]] void fail(const std::filesystem::path& path, const std::string& why) {
  throw std::runtime_error(fmt::format("cannot listen on {}: {}", path.native(), why));
}

class Umask {
 public:
  explicit Umask(mode_t mask) : before_{umask(mask)} {}
  ~Umask() { umask(before_); }
  Umask(const Umask&) = delete;
  Umask& operator=(const Umask&) = delete;

 private:
  mode_t before_;
};

void remove_stale(asio::io_context& io, const std::filesystem::path& path) {
  struct stat found {};
  if (lstat(path.c_str(), &found) != 0) {
    if (errno == ENOENT) {
      return;
    }
    fail(path, std::strerror(errno));
  }
  if (!S_ISSOCK(found.st_mode)) {
    fail(path, "something other than a socket is there");
  }
  // Without waiting: the one that serves it may hang, with as many waiting as the kernel lets (EAGAIN).
  stream_protocol::socket probe{io, stream_protocol{}};
  probe.non_blocking(true);
  const stream_protocol::endpoint served{path.native()};
  const bool connects =
      ::connect(probe.native_handle(), served.data(), static_cast<socklen_t>(served.size())) == 0;
  if (connects || errno == EAGAIN) {
    fail(path, "another process serves it; stop it first or choose another --socket");
  }
  if (errno != ECONNREFUSED) {
    fail(path, std::strerror(errno));
  }
  if (unlink(path.c_str()) != 0) {
    fail(path, std::strerror(errno));
  }
}

constexpr uid_t unchanged = -1;  // chown(2)'s word

uid_t user_id(const std::filesystem::path& path, const std::string& name) {
  if (name.empty()) {
    return unchanged;
  }
  const auto* const user = getpwnam(name.c_str());
  if (user == nullptr) {
    fail(path, fmt::format("there is no user \"{}\" to give it to", name));
  }
  return user->pw_uid;
}

gid_t group_id(const std::filesystem::path& path, const std::string& name) {
  if (name.empty()) {
    return unchanged;
  }
  const auto* const group = getgrnam(name.c_str());
  if (group == nullptr) {
    fail(path, fmt::format("there is no group \"{}\" to give it to", name));
  }
  return group->gr_gid;
}

void admit(const std::filesystem::path& path, uid_t user, gid_t group) {
  // The mode first: after chown(2) the socket may be another user's, and chmod(2) is its owner's to call.
  if (chmod(path.c_str(), group == unchanged ? 0600 : 0660) != 0 || lchown(path.c_str(), user, group) != 0) {
    const int error = errno;
    unlink(path.c_str());
    fail(path, fmt::format("its owner cannot be changed: {}", std::strerror(error)));
  }
}

}  // namespace

auto listen(asio::io_context& io, const std::filesystem::path& path, const Access& access)
    -> stream_protocol::acceptor {
  if (path.empty() || path.native().size() >= sizeof(sockaddr_un::sun_path)) {
    fail(path, fmt::format("a socket's path has 1 to {} bytes", sizeof(sockaddr_un::sun_path) - 1));
  }
  const auto user = user_id(path, access.user);
  const auto group = group_id(path, access.group);
  try {
    const auto directory = std::filesystem::absolute(path).parent_path();
    if (std::filesystem::create_directories(directory)) {
      // Nobody else is to list it. Another user's client has to pass through.
      std::filesystem::permissions(
          directory, std::filesystem::perms{user == unchanged && group == unchanged ? 0700U : 0711U});
    }
    // Two that start at once must not both take a dead one's socket for theirs.
    const Lock lock{path.native() + ".lock"};
    remove_stale(io, path);
    stream_protocol::acceptor acceptor{io, stream_protocol{}};
    {
      const Umask only_owner{0177};
      acceptor.bind(stream_protocol::endpoint{path.native()});
    }
    admit(path, user, group);
    acceptor.listen();  // until now nobody can connect
    return acceptor;
  } catch (const std::system_error& error) {
    fail(path, error.code().message());
  } catch (const boost::system::system_error& error) {
    fail(path, error.code().message());
  }
}

}  // namespace sekisho::ipc
