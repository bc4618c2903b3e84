// SPDX-License-Identifier: BSD-3-Clause
// Private network namespaces for tests: nothing here touches the machine's own.
#pragma once

#include <fcntl.h>
#include <fmt/format.h>
#include <gtest/gtest.h>
#include <sched.h>
#include <unistd.h>

#include <array>
#include <boost/asio/io_context.hpp>
#include <cstdio>
#include <cstdlib>
#include <functional>
#include <string>

#include "tests/unit/until.hpp"

namespace sekisho::test {

// Runs a shell command in the namespace that the caller is in.
inline void run(const std::string& command) {
  ASSERT_EQ(std::system(command.c_str()), 0) << command;
}

inline std::string output(const std::string& command) {
  std::string text;
  std::FILE* pipe = popen(command.c_str(), "r");
  std::array<char, 4096> buffer{};
  while (const std::size_t got = std::fread(buffer.data(), 1, buffer.size(), pipe)) {
    text.append(buffer.data(), got);
  }
  pclose(pipe);
  return text;
}

class Namespace {
 public:
  // A new one; the caller stays where it is.
  Namespace() {
    const int here = open("/proc/self/ns/net", O_RDONLY | O_CLOEXEC);
    const bool moved = unshare(CLONE_NEWNET) == 0;
    fd_ = open("/proc/self/ns/net", O_RDONLY | O_CLOEXEC);
    const bool back = setns(here, CLONE_NEWNET) == 0;
    close(here);
    EXPECT_TRUE(moved && back && fd_ >= 0) << "these tests need root";
  }
  ~Namespace() { close(fd_); }
  Namespace(const Namespace&) = delete;
  Namespace& operator=(const Namespace&) = delete;

  // For `ip link set DEVICE netns PATH`.
  [[nodiscard]] std::string path() const { return fmt::format("/proc/{}/fd/{}", getpid(), fd_); }

  void inside(const std::function<void()>& work) const {
    const int here = open("/proc/self/ns/net", O_RDONLY | O_CLOEXEC);
    ASSERT_EQ(setns(fd_, CLONE_NEWNET), 0);
    work();
    ASSERT_EQ(setns(here, CLONE_NEWNET), 0);
    close(here);
  }
  void run(const std::string& command) const {
    inside([&] { test::run(command); });
  }

 private:
  int fd_ = -1;
};

// Every test in a namespace of its own, with an io_context that runs until something has happened.
class InNamespace : public testing::Test {
 protected:
  void SetUp() override {
    ASSERT_EQ(unshare(CLONE_NEWNET), 0) << "these tests need root";
    run("ip link set lo up");
  }

  [[nodiscard]] bool until(const std::function<bool()>& happened) { return run_until(io, happened); }

  boost::asio::io_context io;
};

}  // namespace sekisho::test
