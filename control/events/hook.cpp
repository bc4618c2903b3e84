// SPDX-License-Identifier: BSD-3-Clause
#include "control/events/hook.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <spawn.h>
#include <spdlog/spdlog.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <boost/asio/posix/stream_descriptor.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>
#include <cerrno>
#include <csignal>
#include <cstring>
#include <functional>
#include <optional>
#include <system_error>
#include <utility>

#include "common/base/detached_read.hpp"
#include "common/base/fd.hpp"
#include "common/base/text.hpp"

extern char** environ;

namespace sekisho::events {
namespace {

using ErrorCode = boost::system::error_code;

constexpr std::size_t longest_line = 200;  // of what it printed, in the log

std::string message_of(int error) {
  return std::generic_category().message(error);
}

// A file without a name that has the text: who reads it late or not at all keeps nobody waiting.
base::Fd file_with(const std::string& text) {
  base::Fd file{::memfd_create("event", MFD_CLOEXEC)};
  if (file.valid() && ::write(file.get(), text.data(), text.size()) == static_cast<ssize_t>(text.size()) &&
      ::lseek(file.get(), 0, SEEK_SET) == 0) {
    return file;
  }
  return base::Fd{};
}

// With the event as its input, the pipe as both its outputs, in a process group of its own, with signals as a shell would start
// it, without any other descriptor, and without the capabilities that this process has as another user than root: called on a thread
// of its own, whose they are then no more. The error is of errno's kind.
auto spawn(const std::filesystem::path& program, int input, int output) -> tl::expected<pid_t, int> {
  posix_spawn_file_actions_t files{};
  posix_spawnattr_t attributes{};
  posix_spawn_file_actions_init(&files);
  posix_spawnattr_init(&attributes);
  posix_spawn_file_actions_adddup2(&files, input, STDIN_FILENO);
  posix_spawn_file_actions_adddup2(&files, output, STDOUT_FILENO);
  posix_spawn_file_actions_adddup2(&files, output, STDERR_FILENO);
  posix_spawn_file_actions_addclosefrom_np(&files, STDERR_FILENO + 1);
  sigset_t none{};
  sigset_t all{};
  sigemptyset(&none);
  sigfillset(&all);
  posix_spawnattr_setsigmask(&attributes, &none);
  posix_spawnattr_setsigdefault(&attributes, &all);
  posix_spawnattr_setpgroup(&attributes, 0);
  posix_spawnattr_setflags(&attributes,
                           POSIX_SPAWN_SETPGROUP | POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF);
  std::string path = program.native();
  std::array<char*, 2> words{path.data(), nullptr};
  pid_t child = 0;
  ::prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0);
  const int error = ::posix_spawn(&child, path.c_str(), &files, &attributes, words.data(), environ);
  posix_spawn_file_actions_destroy(&files);
  posix_spawnattr_destroy(&attributes);
  return error == 0 ? tl::expected<pid_t, int>{child} : tl::unexpected{error};
}

}  // namespace

// One program that runs. Its start may take as long as its file system likes: that is another thread's.
class Hook::Run : public std::enable_shared_from_this<Run> {
 public:
  using Ended = std::function<void(const std::string& failure)>;

  Run(boost::asio::io_context& io, Ended ended)
      : io_(io), ended_(std::move(ended)), process_(io), output_(io), limit_(io) {}
  ~Run() { kill(); }
  Run(const Run&) = delete;
  Run& operator=(const Run&) = delete;

  void begin(const std::filesystem::path& program, const Event& event, std::chrono::milliseconds limit) {
    auto input = std::make_shared<base::Fd>(
        file_with(to_json(event).dump(-1, ' ', false, Json::error_handler_t::replace) + "\n"));
    std::array<int, 2> pipe{-1, -1};
    if (!input->valid() || ::pipe2(pipe.data(), O_CLOEXEC) != 0) {
      end_later("cannot be run: " + message_of(errno));
      return;
    }
    auto output = std::make_shared<base::Fd>(pipe[1]);
    output_.assign(pipe[0]);
    start_.emplace(
        program,
        [program, input = std::move(input), output = std::move(output)] {
          return spawn(program, input->get(), output->get());
        },
        [](base::Error /*error*/) -> Started { return tl::unexpected(EAGAIN); },
        [&io = io_, weak = weak_from_this()] {
          boost::asio::post(io, [weak] {
            if (const auto self = weak.lock()) {
              self->take_start();
            }
          });
        });
    limit_.expires_after(limit);
    limit_.async_wait([self = shared_from_this()](ErrorCode stopped) {
      if (!stopped) {
        self->stop();
      }
    });
    take_start();  // no thread could be had
  }

  // Its end is not told any more.
  void abandon() {
    ended_ = nullptr;
    kill();
    close();
  }

 private:
  using Started = tl::expected<pid_t, int>;

  void take_start() {
    auto started = start_ ? start_->take() : std::nullopt;
    if (!started) {
      return;
    }
    start_.reset();
    if (!*started) {
      end_later("cannot be run: " + message_of(started->error()));
      return;
    }
    pid_ = **started;
    const auto handle = static_cast<int>(::syscall(SYS_pidfd_open, pid_, 0));
    if (handle < 0) {
      const auto why = message_of(errno);
      kill();
      end_later("cannot be watched: " + why);
      return;
    }
    process_.assign(handle);
    process_.async_wait(boost::asio::posix::stream_descriptor::wait_read,
                        [self = shared_from_this()](ErrorCode error) {
                          if (!error) {
                            self->end();
                          }
                        });
    read();
    if (took_too_long_) {
      ::kill(-pid_, SIGKILL);
    }
  }

  void read() {
    output_.async_read_some(boost::asio::buffer(buffer_),
                            [self = shared_from_this()](ErrorCode error, std::size_t count) {
                              if (!error) {
                                const auto room = longest_line - std::min(longest_line, self->said_.size());
                                self->said_.append(self->buffer_.data(), std::min(room, count));
                                self->read();
                              }
                            });
  }

  void stop() {
    took_too_long_ = true;
    if (pid_ > 0) {
      ::kill(-pid_, SIGKILL);
    }
  }

  // The program has ended; what it started goes with it.
  void end() {
    const auto status = kill();
    std::string failure;
    if (took_too_long_) {
      failure = "was killed: it had not ended in time";
    } else if (WIFSIGNALED(status)) {
      failure = fmt::format("was ended by signal {}", WTERMSIG(status));
    } else if (WEXITSTATUS(status) != 0) {
      failure = fmt::format("ended with exit status {}", WEXITSTATUS(status));
    }
    if (const auto line = said_.substr(0, said_.find('\n')); !failure.empty() && !line.empty()) {
      failure += ": " + base::in_quotes(line);
    }
    end(failure);
  }

  void end(const std::string& failure) {
    close();
    if (auto once = std::exchange(ended_, nullptr)) {
      once(failure);
    }
  }

  // Not before who began it has it.
  void end_later(std::string failure) {
    boost::asio::post(io_, [self = shared_from_this(), failure = std::move(failure)] { self->end(failure); });
  }

  // How it ended, 0 if it was never begun.
  int kill() {
    int status = 0;
    if (const auto child = std::exchange(pid_, 0); child > 0) {
      ::kill(-child, SIGKILL);
      ::waitpid(child, &status, 0);
    }
    return status;
  }

  void close() {
    ErrorCode ignored;
    limit_.cancel();
    process_.close(ignored);
    output_.close(ignored);
  }

  boost::asio::io_context& io_;
  Ended ended_;
  std::optional<base::DetachedRead<Started>> start_;
  boost::asio::posix::stream_descriptor process_;
  boost::asio::posix::stream_descriptor output_;
  boost::asio::steady_timer limit_;
  pid_t pid_ = 0;  // and of its group
  bool took_too_long_ = false;
  std::string said_;  // the first of it
  std::array<char, 4096> buffer_{};
};

Hook::Hook(boost::asio::io_context& io, std::chrono::milliseconds limit) : io_(io), limit_(limit) {}

Hook::~Hook() {
  if (run_) {
    run_->abandon();
  }
}

void Hook::use(std::filesystem::path program) {
  program_ = std::move(program);
  if (program_.empty()) {
    waiting_.clear();
  }
}

void Hook::tell(const Event& event) {
  if (program_.empty()) {
    return;
  }
  if (event.kind == verdict_kind) {
    std::erase_if(waiting_, [](const Event& older) { return older.kind == verdict_kind; });
  }
  if (waiting_.size() == most) {
    waiting_.pop_front();
    ++lost_;
  }
  waiting_.push_back(event);
  begin();
}

void Hook::begin() {
  if (!run_ && !waiting_.empty()) {
    if (const auto lost = std::exchange(lost_, 0); lost != 0) {
      spdlog::warn("hook {}: {} events were not told: it is too slow", program_.native(), lost);
    }
    const auto event = std::move(waiting_.front());
    waiting_.pop_front();
    run_ = std::make_shared<Run>(io_, [this](const std::string& failure) { ended(failure); });
    run_->begin(program_, event, limit_);
  }
}

void Hook::ended(const std::string& failure) {
  run_.reset();
  if (!failure.empty()) {
    spdlog::error("hook {} {}", program_.native(), failure);
  }
  begin();
}

auto could_run(const std::filesystem::path& program) -> tl::expected<void, std::string> {
  struct stat found {};
  if (::stat(program.c_str(), &found) != 0) {
    return tl::unexpected(message_of(errno));
  }
  if (!S_ISREG(found.st_mode)) {
    return tl::unexpected(std::string{"it is not a file"});
  }
  if (::access(program.c_str(), X_OK) != 0) {
    return tl::unexpected(message_of(errno));
  }
  return {};
}

}  // namespace sekisho::events
