// SPDX-License-Identifier: BSD-3-Clause
#include "common/base/watch.hpp"

#include <utility>

namespace sekisho::base {
namespace {

thread_local Watch* of_this_thread = nullptr;

}  // namespace

auto Watch::overdue(std::chrono::milliseconds patience) const -> std::optional<std::filesystem::path> {
  const std::scoped_lock lock{mutex_};
  return file_ && std::chrono::steady_clock::now() - since_ >= patience ? file_ : std::nullopt;
}

void Watch::set(std::optional<std::filesystem::path> file) {
  const std::scoped_lock lock{mutex_};
  file_ = std::move(file);
  since_ = std::chrono::steady_clock::now();
}

Watched::Watched(Watch& watch) noexcept {
  of_this_thread = &watch;
}

Watched::~Watched() {
  of_this_thread = nullptr;
}

Waiting::Waiting(const std::filesystem::path& file) {
  if (of_this_thread != nullptr)
    of_this_thread->set(file);
}

Waiting::~Waiting() {
  if (of_this_thread != nullptr)
    of_this_thread->set(std::nullopt);
}

}  // namespace sekisho::base
