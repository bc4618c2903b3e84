#include "control/load/file.hpp"

#include <bzlib.h>
#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zlib.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <cstring>
#include <memory>
#include <optional>
#include <span>
#include <thread>
#include <tuple>
#include <utility>

#include "control/load/watch.hpp"

namespace sekisho::load {
namespace {

class Descriptor {
 public:
  explicit Descriptor(int fd) : fd_(fd) {}
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;
  ~Descriptor() {
    if (fd_ >= 0)
      ::close(fd_);
  }
  [[nodiscard]] int get() const { return fd_; }

 private:
  int fd_;
};

auto system_error(const std::filesystem::path& file, std::string_view what, int code)
    -> tl::unexpected<Error> {
  return tl::unexpected(Error{file, 0, fmt::format("{}: {}", what, std::strerror(code))});
}

// Grows as it is filled, never past the limit and the byte that shows it is not kept.
class Bounded {
 public:
  Bounded(std::size_t expected, std::size_t limit)
      : limit_(limit), bytes_(std::min(expected, limit) + 1, '\0') {}

  // Where the next bytes go; empty when the limit is passed.
  [[nodiscard]] auto room() -> std::span<char> {
    if (size_ == bytes_.size() && size_ <= limit_)
      bytes_.resize(std::min(std::max<std::size_t>(2 * size_, 1 << 16), limit_ + 1));
    return std::span{bytes_}.subspan(size_);
  }
  void filled(std::size_t size) { size_ += size; }
  [[nodiscard]] bool exceeded() const { return size_ > limit_; }
  [[nodiscard]] auto take() && -> std::string {
    bytes_.resize(size_);
    return std::move(bytes_);
  }

 private:
  std::size_t limit_;
  std::string bytes_;
  std::size_t size_ = 0;
};

// What is decompressed at a time: zlib and libbz2 count in 32 bits, and progress is told in between.
constexpr std::size_t chunk = std::size_t{1} << 22;

void tell(const Progress& progress, std::string_view doing, std::size_t done, std::size_t all) {
  if (progress)
    progress(doing, all == 0 ? 1.0 : static_cast<double>(done) / static_cast<double>(all));
}

auto too_large(const std::filesystem::path& file, std::size_t limit) -> tl::unexpected<Error> {
  return tl::unexpected(Error{file, 0, fmt::format("holds more than {} bytes", limit)});
}

auto too_large_inside(const std::filesystem::path& file, std::size_t limit) {
  return tl::unexpected(Error{file, 0, fmt::format("decompresses to more than {} bytes", limit)});
}

// What a file is that is none; nullptr: a regular one.
const char* other_kind(mode_t mode) {
  switch (mode & S_IFMT) {
    case S_IFREG:
      return nullptr;
    case S_IFDIR:
      return "is a directory";
    case S_IFIFO:
      return "is a pipe (FIFO), and only a regular file is read";
    case S_IFSOCK:
      return "is a socket, and only a regular file is read";
    default:
      return "is a device, and only a regular file is read";
  }
}

auto refuse_to_open(const std::filesystem::path& file, int code) -> tl::unexpected<Error> {
  struct stat status {};
  const auto* other =
      code == ENXIO && ::stat(file.c_str(), &status) == 0 ? other_kind(status.st_mode) : nullptr;
  return other != nullptr ? tl::unexpected(Error{file, 0, other})
                          : system_error(file, "cannot be opened", code);
}

// Two states of one size within a tick of the kernel's clock look alike.
bool is_as_before(const struct stat& before, const struct stat& now) {
  return before.st_size == now.st_size && before.st_mtim.tv_sec == now.st_mtim.tv_sec &&
         before.st_mtim.tv_nsec == now.st_mtim.tv_nsec;
}

// Nothing: it changed meanwhile.
auto read_once(int descriptor, const std::filesystem::path& file, std::size_t limit, const Progress& progress)
    -> tl::expected<std::optional<std::string>, Error> {
  struct stat before {};
  struct stat now {};
  if (::fstat(descriptor, &before) != 0)
    return system_error(file, "cannot be read", errno);
  if (const auto* other = other_kind(before.st_mode))
    return tl::unexpected(Error{file, 0, other});
  const auto expected = static_cast<std::size_t>(before.st_size);
  if (expected > limit)
    return too_large(file, limit);

  Bounded bytes{expected, limit};
  std::size_t size = 0;
  while (!bytes.exceeded()) {
    const Waiting waiting{file};
    const auto room = bytes.room();
    const ssize_t got =
        ::pread(descriptor, room.data(), std::min(room.size(), chunk), static_cast<off_t>(size));
    if (got < 0 && errno == EINTR)
      continue;
    if (got < 0)
      return system_error(file, "cannot be read", errno);
    if (got > 0) {
      bytes.filled(static_cast<std::size_t>(got));
      size += static_cast<std::size_t>(got);
      tell(progress, "reading", std::min(size, expected), expected);
      if (size > expected && expected != 0)  // somebody appends, perhaps faster than this reads
        return std::nullopt;
      continue;
    }
    if (::fstat(descriptor, &now) != 0)
      return system_error(file, "cannot be read", errno);
    // The kernel's own files (/proc) have no size.
    const bool is_whole = is_as_before(before, now) && (size == expected || expected == 0);
    return is_whole ? std::optional{std::move(bytes).take()} : std::nullopt;
  }
  return too_large(file, limit);
}

}  // namespace

auto read_file(const std::filesystem::path& file, std::size_t limit, const Progress& progress)
    -> tl::expected<std::string, Error> {
  const Waiting waiting{file};
  // A FIFO without a writer and a modem without a carrier would be waited for as they are opened.
  const Descriptor descriptor{::open(file.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY)};
  if (descriptor.get() < 0)
    return refuse_to_open(file, errno);
  constexpr int attempts = 5;
  for (int attempt = 0; attempt < attempts; ++attempt) {
    auto bytes = read_once(descriptor.get(), file, limit, progress);
    if (!bytes || *bytes)
      return std::move(bytes).map([](auto read) { return std::move(*read); });
    std::this_thread::sleep_for(std::chrono::milliseconds{10 << attempt});
  }
  return tl::unexpected(
      Error{file, 0, fmt::format("is being written: it changed each of the {} times it was read", attempts)});
}

bool is_gzip(std::string_view bytes) noexcept {
  return bytes.starts_with("\x1f\x8b");
}

auto inflate(std::string_view bytes, const std::filesystem::path& file, std::size_t limit,
             const Progress& progress) -> tl::expected<std::string, Error> {
  const auto refuse = [&](std::string reason) { return tl::unexpected(Error{file, 0, std::move(reason)}); };
  z_stream stream{};
  constexpr int gzip_only = 16 + MAX_WBITS;
  if (inflateInit2(&stream, gzip_only) != Z_OK)
    return refuse("cannot be decompressed: out of memory");
  const std::unique_ptr<z_stream, decltype(&inflateEnd)> owner{&stream, &inflateEnd};

  stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(bytes.data()));
  std::size_t left = bytes.size();  // behind what the stream was given
  Bounded text{4 * bytes.size() + 64, limit};
  while (!text.exceeded()) {
    if (stream.avail_in == 0) {
      tell(progress, "decompressing", bytes.size() - left, bytes.size());
      stream.avail_in = static_cast<uInt>(std::min(left, chunk));
      left -= stream.avail_in;
    }
    const auto room = text.room();
    const auto size = static_cast<uInt>(std::min(room.size(), chunk));
    stream.next_out = reinterpret_cast<Bytef*>(room.data());
    stream.avail_out = size;
    const int result = ::inflate(&stream, Z_NO_FLUSH);
    text.filled(size - stream.avail_out);
    const bool at_end = stream.avail_in == 0 && left == 0;
    if (result == Z_STREAM_END) {
      if (at_end && !text.exceeded())
        return std::move(text).take();
      if (inflateReset(&stream) != Z_OK)
        return refuse("cannot be decompressed");
    } else if (result == Z_BUF_ERROR || (result == Z_OK && stream.avail_out != 0 && at_end)) {
      return refuse("is compressed with gzip and ends too early");
    } else if (result != Z_OK) {
      return refuse(fmt::format("is compressed with gzip and damaged ({})",
                                stream.msg != nullptr ? stream.msg : "no reason"));
    }
  }
  return too_large_inside(file, limit);
}

bool is_bzip2(std::string_view bytes) noexcept {
  // "BZh", the block size, and the magic number of a block or of the end of an empty stream.
  return bytes.size() >= 10 && bytes.starts_with("BZh") && bytes[3] >= '1' && bytes[3] <= '9' &&
         (bytes.substr(4, 6) == "\x31\x41\x59\x26\x53\x59" ||
          bytes.substr(4, 6) == "\x17\x72\x45\x38\x50\x90");
}

auto bunzip2(std::string_view bytes, const std::filesystem::path& file, std::size_t limit,
             const Progress& progress) -> tl::expected<std::string, Error> {
  const auto refuse = [&](std::string reason) { return tl::unexpected(Error{file, 0, std::move(reason)}); };
  // libbz2 cannot begin anew with a stream that has ended.
  bz_stream stream{};
  const auto begin = [&stream] { return BZ2_bzDecompressInit(&stream, 0, 0) == BZ_OK; };
  if (!begin())
    return refuse("cannot be decompressed: out of memory");
  const std::unique_ptr<bz_stream, decltype(&BZ2_bzDecompressEnd)> owner{&stream, &BZ2_bzDecompressEnd};

  stream.next_in = const_cast<char*>(bytes.data());
  std::size_t left = bytes.size();  // behind what the stream was given
  Bounded text{8 * bytes.size() + 64, limit};
  while (!text.exceeded()) {
    if (stream.avail_in == 0) {
      tell(progress, "decompressing", bytes.size() - left, bytes.size());
      stream.avail_in = static_cast<unsigned>(std::min(left, chunk));
      left -= stream.avail_in;
    }
    const auto room = text.room();
    const auto size = static_cast<unsigned>(std::min(room.size(), chunk));
    stream.next_out = room.data();
    stream.avail_out = size;
    const int result = BZ2_bzDecompress(&stream);
    text.filled(size - stream.avail_out);
    const bool at_end = stream.avail_in == 0 && left == 0;
    if (result == BZ_STREAM_END) {
      if (at_end && !text.exceeded())
        return std::move(text).take();
      const auto rest = std::pair{stream.next_in, stream.avail_in};
      BZ2_bzDecompressEnd(&stream);
      stream = {};
      if (!begin())
        return refuse("cannot be decompressed: out of memory");
      std::tie(stream.next_in, stream.avail_in) = rest;
    } else if (result == BZ_OK && stream.avail_out != 0 && at_end) {
      return refuse("is compressed with bzip2 and ends too early");
    } else if (result != BZ_OK) {
      return refuse(fmt::format("is compressed with bzip2 and damaged (error {})", result));
    }
  }
  return too_large_inside(file, limit);
}

auto read_content(const std::filesystem::path& file, std::size_t limit, const Progress& progress)
    -> tl::expected<std::string, Error> {
  auto bytes = read_file(file, limit, progress);
  if (bytes && is_gzip(*bytes))
    return inflate(*bytes, file, limit, progress);
  if (bytes && is_bzip2(*bytes))
    return bunzip2(*bytes, file, limit, progress);
  return bytes;
}

}  // namespace sekisho::load
