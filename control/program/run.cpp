// SPDX-License-Identifier: BSD-3-Clause
#include "control/program/run.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <spawn.h>
#include <sys/mman.h>
#include <sys/prctl.h>
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
#include <mutex>
#include <optional>
#include <system_error>
#include <utility>

#include "common/base/detached_read.hpp"
#include "common/base/fd.hpp"
#include "common/base/write_whole.hpp"

extern char** environ;

namespace sekisho::program {
namespace {

using ErrorCode = boost::system::error_code;

std::string message_of(int error) {
  return std::generic_category().message(error);
}

// A file without a name that has the text: who reads it late or not at all keeps nobody waiting.
base::Fd file_with(const std::string& text) {
  base::Fd file{::memfd_create("input", MFD_CLOEXEC)};
  if (file.valid() && base::write_all(file.get(), text) && ::lseek(file.get(), 0, SEEK_SET) == 0) {
    return file;
  }
  return base::Fd{};
}

// Called on a thread of its own, whose capabilities are then no more. The error is of errno's kind.
auto spawn(const Command& command, int input, int output, int errors) -> tl::expected<pid_t, int> {
  posix_spawn_file_actions_t files{};
  posix_spawnattr_t attributes{};
  posix_spawn_file_actions_init(&files);
  posix_spawnattr_init(&attributes);
  posix_spawn_file_actions_adddup2(&files, input, STDIN_FILENO);
  posix_spawn_file_actions_adddup2(&files, output, STDOUT_FILENO);
  posix_spawn_file_actions_adddup2(&files, errors, STDERR_FILENO);
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
  std::string program = command.program;
  auto arguments = command.arguments;
  std::vector<char*> words{program.data()};
  std::ranges::transform(arguments, std::back_inserter(words), [](std::string& word) { return word.data(); });
  words.push_back(nullptr);
  pid_t child = 0;
  ::prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0);
  const int error = ::posix_spawnp(&child, program.c_str(), &files, &attributes, words.data(), environ);
  posix_spawn_file_actions_destroy(&files);
  posix_spawnattr_destroy(&attributes);
  return error == 0 ? tl::expected<pid_t, int>{child} : tl::unexpected{error};
}

// A child and its group, which is of the same number. How the child ended.
int end_child(pid_t child) {
  int status = 0;
  ::kill(-child, SIGKILL);
  ::waitpid(child, &status, 0);
  return status;
}

}  // namespace

// Its start may take as long as its file system likes: that is another thread's.
class Run::Process : public std::enable_shared_from_this<Process> {
 public:
  Process(boost::asio::io_context& io, std::function<void(Ended)> done)
      : io_(io), done_(std::move(done)), process_(io), output_(io), errors_(io), limit_(io) {}
  ~Process() { kill(); }
  Process(const Process&) = delete;
  Process& operator=(const Process&) = delete;

  void begin(Command command) {
    most_output_ = command.most_output;
    is_killed_for_more_ = command.is_killed_for_more;
    auto streams = std::make_shared<Streams>();
    streams->input = file_with(command.input);
    std::array<int, 2> output{-1, -1};
    std::array<int, 2> errors{-1, -1};
    if (!streams->input.valid() || ::pipe2(output.data(), O_CLOEXEC) != 0) {
      end_later("cannot be run: " + message_of(errno));
      return;
    }
    streams->output = base::Fd{output[1]};
    output_.stream.assign(output[0]);
    if (::pipe2(errors.data(), O_CLOEXEC) != 0) {
      end_later("cannot be run: " + message_of(errno));
      return;
    }
    streams->errors = base::Fd{errors[1]};
    errors_.stream.assign(errors[0]);
    limit_.expires_after(command.limit);
    limit_.async_wait([self = shared_from_this()](ErrorCode stopped) {
      if (!stopped) {
        self->ended_.took_too_long = true;
        self->stop("was killed: it had not ended in time");
      }
    });
    std::string name = command.program;
    start_.emplace(
        name,
        [what = std::move(command), streams = std::move(streams), handover = handover_]() -> Started {
          auto child = spawn(what, streams->input.get(), streams->output.get(), streams->errors.get());
          if (child && !handover->give(*child)) {
            end_child(*child);
            return tl::unexpected(ECANCELED);
          }
          return child;
        },
        [](base::Error /*error*/) -> Started { return tl::unexpected(EAGAIN); },
        [&io = io_, weak = weak_from_this()] {
          boost::asio::post(io, [weak] {
            if (const auto self = weak.lock()) {
              self->take_start();
            }
          });
        });
    boost::asio::post(io_, [self = shared_from_this()] { self->take_start(); });  // no thread could be had
  }

  // Its end is not told any more.
  void abandon() {
    done_ = nullptr;
    if (start_) {
      pid_ = handover_->abandon();
      start_.reset();
    }
    kill();
    close();
  }

 private:
  using Started = tl::expected<pid_t, int>;

  // Between the thread that starts the program and who wanted it: whoever comes last kills it when it is not wanted any more.
  class Handover {
   public:
    // The thread's. False: it is not wanted.
    [[nodiscard]] bool give(pid_t child) {
      const std::scoped_lock lock{mutex_};
      child_ = child;
      return !is_abandoned_;
    }
    // 0: it has not started.
    pid_t abandon() {
      const std::scoped_lock lock{mutex_};
      is_abandoned_ = true;
      return child_;
    }

   private:
    std::mutex mutex_;
    bool is_abandoned_ = false;
    pid_t child_ = 0;
  };

  struct Streams {  // of the program
    base::Fd input;
    base::Fd output;
    base::Fd errors;
  };
  struct Stream {
    explicit Stream(boost::asio::io_context& io) : stream(io) {}
    boost::asio::posix::stream_descriptor stream;
    std::string said;
    std::array<char, 4096> buffer{};
    bool has_ended = false;
  };

  void take_start() {
    auto started = start_ ? start_->take() : std::nullopt;
    if (!started) {
      return;
    }
    start_.reset();
    if (!*started) {
      ended_.was_found = started->error() != ENOENT;
      end("cannot be run: " + message_of(started->error()));
      return;
    }
    pid_ = **started;
    const auto handle = static_cast<int>(::syscall(SYS_pidfd_open, pid_, 0));
    if (handle < 0) {
      const auto why = message_of(errno);
      kill();
      end("cannot be watched: " + why);
      return;
    }
    process_.assign(handle);
    process_.async_wait(boost::asio::posix::stream_descriptor::wait_read,
                        [self = shared_from_this()](ErrorCode error) {
                          if (!error) {
                            self->ended();
                          }
                        });
    read(output_);
    read(errors_);
    if (!why_stopped_.empty()) {
      ::kill(-pid_, SIGKILL);
    }
  }

  void read(Stream& from) {
    from.stream.async_read_some(boost::asio::buffer(from.buffer),
                                [self = shared_from_this(), &from](ErrorCode error, std::size_t count) {
                                  if (error) {
                                    from.has_ended = true;
                                    self->end_if_all_is_read();
                                  } else {
                                    self->take(from, count);
                                    self->read(from);
                                  }
                                });
  }

  void take(Stream& from, std::size_t count) {
    const auto room = most_output_ - from.said.size();
    from.said.append(from.buffer.data(), std::min(room, count));
    if (count > room && is_killed_for_more_) {
      ended_.said_too_much = true;
      stop(fmt::format("was killed: it had printed more than {} bytes", most_output_));
    }
  }

  void stop(std::string why) {
    if (why_stopped_.empty()) {
      why_stopped_ = std::move(why);
    }
    if (pid_ > 0) {
      ::kill(-pid_, SIGKILL);
    }
  }

  // The program has ended; what it started goes with it, but for what has left its group: that may hold the outputs open, and is
  // not waited for.
  void ended() {
    status_ = kill();
    constexpr std::chrono::milliseconds to_read_the_rest{200};
    limit_.expires_after(to_read_the_rest);
    limit_.async_wait([self = shared_from_this()](ErrorCode stopped) {
      if (!stopped) {
        self->end_by_status();
      }
    });
    end_if_all_is_read();
  }

  void end_if_all_is_read() {
    if (status_ && output_.has_ended && errors_.has_ended) {
      end_by_status();
    }
  }

  void end_by_status() {
    if (!why_stopped_.empty()) {
      end(why_stopped_);
    } else if (WIFSIGNALED(*status_)) {
      end(fmt::format("was ended by signal {}", WTERMSIG(*status_)));
    } else {
      end(WEXITSTATUS(*status_) == 0 ? "" : fmt::format("ended with exit status {}", WEXITSTATUS(*status_)));
    }
  }

  void end(const std::string& failure) {
    close();
    if (auto once = std::exchange(done_, nullptr)) {
      ended_.failure = failure;
      ended_.output = std::move(output_.said);
      ended_.errors = std::move(errors_.said);
      once(std::move(ended_));
    }
  }

  // Not before who began it has it.
  void end_later(std::string failure) {
    boost::asio::post(io_, [self = shared_from_this(), failure = std::move(failure)] { self->end(failure); });
  }

  // How it ended, 0 if it was never begun.
  int kill() {
    const auto child = std::exchange(pid_, 0);
    return child > 0 ? end_child(child) : 0;
  }

  void close() {
    ErrorCode ignored;
    limit_.cancel();
    process_.close(ignored);
    output_.stream.close(ignored);
    errors_.stream.close(ignored);
  }

  boost::asio::io_context& io_;
  std::function<void(Ended)> done_;
  Ended ended_;
  std::shared_ptr<Handover> handover_ = std::make_shared<Handover>();
  std::optional<base::DetachedRead<Started>> start_;  // until it is known how it went
  boost::asio::posix::stream_descriptor process_;
  Stream output_;
  Stream errors_;
  boost::asio::steady_timer limit_;
  std::size_t most_output_ = 0;
  bool is_killed_for_more_ = true;
  pid_t pid_ = 0;              // and of its group
  std::optional<int> status_;  // with which it ended
  std::string why_stopped_;
};

Run::Run(boost::asio::io_context& io, Command command, std::function<void(Ended)> done)
    : process_(std::make_shared<Process>(io, std::move(done))) {
  process_->begin(std::move(command));
}

Run::~Run() {
  process_->abandon();
}

auto first_line(const Ended& ended) -> std::string {
  constexpr std::size_t longest = 200;
  const auto& said = ended.errors.empty() ? ended.output : ended.errors;
  return said.substr(0, std::min(said.find('\n'), longest));
}

}  // namespace sekisho::program
