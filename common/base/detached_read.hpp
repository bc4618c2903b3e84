// SPDX-License-Identifier: BSD-3-Clause
// A read on a thread of its own that nobody has to wait for. When a file does not answer, the thread is left behind with all that
// it holds, and ends when the file answers after all.
#pragma once

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <exception>
#include <filesystem>
#include <functional>
#include <memory>
#include <mutex>
#include <new>
#include <optional>
#include <system_error>
#include <thread>
#include <tl/expected.hpp>
#include <type_traits>
#include <utility>

#include <fmt/format.h>

#include "common/base/error.hpp"
#include "common/base/watch.hpp"

namespace sekisho::base {

// How long a file may give no sign of life.
inline constexpr std::chrono::seconds usual_patience{10};

// Threads that read at this moment, those left behind among them. A process that ends must not run the destructors of its
// static objects while there are any: it ends by std::_Exit.
[[nodiscard]] inline auto threads_that_read() -> std::atomic<int>& {
  static std::atomic<int> count = 0;
  return count;
}

[[nodiscard]] inline auto no_answer(std::filesystem::path file, std::chrono::milliseconds patience) -> Error {
  return {std::move(file), 0,
          fmt::format("did not answer for {:g} s: is its file system there?",
                      std::chrono::duration<double>(patience).count())};
}

// `Result` is what the read gives, an error included.
template <class Result>
class DetachedRead {
 public:
  // `work` owns all that it refers to; what it throws becomes `refused` of an error of `file`. `finished` is called on the
  // thread, once, and not after this is gone.
  DetachedRead(const std::filesystem::path& file, std::function<Result()> work, Result (*refused)(Error),
               std::function<void()> finished = {})
      : state_(std::make_shared<State>()), refused_(refused) {
    state_->finished = std::move(finished);
    ++threads_that_read();
    try {
      std::thread{[state = state_, file, work = std::move(work), refused]() mutable {
        run(*state, file, std::exchange(work, nullptr), refused);
        state.reset();
        --threads_that_read();
      }}.detach();
    } catch (const std::system_error& error) {
      --threads_that_read();
      state_->finished = nullptr;
      state_->result =
          refused({file, 0, fmt::format("cannot be read: no thread can be had ({})", error.what())});
    }
  }
  DetachedRead(const DetachedRead&) = delete;
  DetachedRead& operator=(const DetachedRead&) = delete;
  ~DetachedRead() {
    const std::scoped_lock lock{state_->mutex};
    state_->finished = nullptr;
  }

  // Nothing: it is not done.
  [[nodiscard]] auto take() -> std::optional<Result> {
    const std::scoped_lock lock{state_->mutex};
    return std::exchange(state_->result, std::nullopt);
  }
  // Waits for it as long as every file answers within `patience`.
  [[nodiscard]] auto wait(std::chrono::milliseconds patience) -> Result {
    std::unique_lock lock{state_->mutex};
    while (!state_->result) {
      if (auto file = overdue(patience))
        return refused_(no_answer(std::move(*file), patience));
      state_->done.wait_for(lock, patience / 8);
    }
    return std::move(*state_->result);
  }
  // The file that has not answered for so long.
  [[nodiscard]] auto overdue(std::chrono::milliseconds patience) const {
    return state_->watch.overdue(patience);
  }
  // Expires when the thread has ended.
  [[nodiscard]] auto thread() const -> std::weak_ptr<const void> { return state_; }

 private:
  struct State {
    std::mutex mutex;
    std::condition_variable done;
    std::function<void()> finished;
    std::optional<Result> result;
    Watch watch;
  };

  static void run(State& state, const std::filesystem::path& file, std::function<Result()> work,
                  Result (*refused)(Error)) {
    auto result = [&]() -> Result {
      const Watched watched{state.watch};
      try {
        return work();
      } catch (const std::bad_alloc&) {
        return refused({file, 0, "cannot be read: out of memory"});
      } catch (const std::exception& error) {
        return refused({file, 0, fmt::format("cannot be read: {}", error.what())});
      }
    }();
    work = nullptr;
    const std::scoped_lock lock{state.mutex};
    state.result = std::move(result);
    if (state.finished)
      state.finished();
    state.done.notify_all();
  }

  std::shared_ptr<State> state_;
  Result (*refused_)(Error);
};

// Waits for `work`, which gives an expected with an Error, as long as every file that it reads answers within `patience`.
// `file` is what an error is about that is none of its own.
template <class Work>
[[nodiscard]] auto within(std::chrono::milliseconds patience, const std::filesystem::path& file, Work work) {
  using Result = std::invoke_result_t<Work>;
  return DetachedRead<Result>{file, std::move(work),
                              [](Error error) -> Result { return tl::unexpected(std::move(error)); }}
      .wait(patience);
}

}  // namespace sekisho::base
