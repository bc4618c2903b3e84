// SPDX-License-Identifier: BSD-3-Clause
#include "common/ipc/lock.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <fstream>
#include <sstream>
#include <stdexcept>
#include <thread>
#include <utility>

namespace sekisho::ipc {
namespace {

constexpr std::chrono::milliseconds between_attempts{20};

[[noreturn]] void cannot_lock(const std::filesystem::path& path, const std::string& why) {
  throw std::runtime_error(fmt::format("{}: {}", path.native(), why));
}

}  // namespace

// proc(5): "1: FLOCK  ADVISORY  WRITE 4711 00:1a:1234 0 EOF", numbers of the device in hexadecimal.
std::string holder_of(dev_t device, ino_t inode) {
  const auto wanted = fmt::format("{:02x}:{:02x}:{}", major(device), minor(device), inode);
  std::ifstream locks("/proc/locks");
  for (std::string line; std::getline(locks, line);) {
    std::istringstream words(line);
    std::string number, kind, manner, mode, process, file;
    if (words >> number >> kind >> manner >> mode >> process >> file && file == wanted) {
      std::string name;
      std::getline(std::ifstream("/proc/" + process + "/comm") >> std::ws, name);
      return name.empty() ? "process " + process : fmt::format("process {} ({})", process, name);
    }
  }
  return "another process";
}

Lock::Lock(std::filesystem::path path, std::chrono::milliseconds patience) : path_(std::move(path)) {
  const auto deadline = std::chrono::steady_clock::now() + patience;
  while (!take()) {
    if (std::chrono::steady_clock::now() >= deadline) {
      struct stat found {};
      ::stat(path_.c_str(), &found);
      cannot_lock(path_, fmt::format("{} has held this lock for {} s", holder_of(found.st_dev, found.st_ino),
                                     std::chrono::duration_cast<std::chrono::seconds>(patience).count()));
    }
    std::this_thread::sleep_for(between_attempts);
  }
}

bool Lock::take() {
  const int file = ::open(path_.c_str(), O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK, 0600);
  if (file < 0) {
    cannot_lock(path_, std::strerror(errno));
  }
  struct stat opened {};
  struct stat named {};
  ::fstat(file, &opened);
  if (opened.st_uid != ::geteuid() && opened.st_uid != 0) {
    ::close(file);
    cannot_lock(path_,
                fmt::format("it belongs to user {}, who could hold it for ever; remove it", opened.st_uid));
  }
  // The one that held it may have removed it since it was opened.
  if (::flock(file, LOCK_EX | LOCK_NB) == 0 && ::lstat(path_.c_str(), &named) == 0 &&
      named.st_dev == opened.st_dev && named.st_ino == opened.st_ino) {
    file_ = file;
    return true;
  }
  ::close(file);
  return false;
}

Lock::~Lock() {
  ::unlink(path_.c_str());
  ::close(file_);
}

}  // namespace sekisho::ipc
