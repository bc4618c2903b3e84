// SPDX-License-Identifier: BSD-3-Clause
#include "control/formats/compression.hpp"

#include <bzlib.h>
#include <fmt/format.h>
#include <zlib.h>

#include <algorithm>
#include <memory>
#include <tuple>
#include <utility>

#include "common/base/bounded_text.hpp"
#include "common/base/encoding.hpp"
#include "common/base/error.hpp"

namespace sekisho::formats {
namespace {

// What is decompressed at a time: zlib and libbz2 count in 32 bits, and progress is told in between.
constexpr std::size_t chunk = std::size_t{1} << 22;

auto too_large_inside(const std::filesystem::path& file, std::size_t limit) {
  return tl::unexpected(base::Error{file, 0, fmt::format("decompresses to more than {} bytes", limit)});
}

}  // namespace

bool is_gzip(std::string_view bytes) noexcept {
  return bytes.starts_with("\x1f\x8b");
}

auto inflate(std::string_view bytes, const std::filesystem::path& file, std::size_t limit,
             const base::Progress& progress) -> tl::expected<std::string, base::Error> {
  const auto refuse = [&](std::string reason) {
    return tl::unexpected(base::Error{file, 0, std::move(reason)});
  };
  z_stream stream{};
  constexpr int gzip_only = 16 + MAX_WBITS;
  if (inflateInit2(&stream, gzip_only) != Z_OK)
    return refuse("cannot be decompressed: out of memory");
  const std::unique_ptr<z_stream, decltype(&inflateEnd)> owner{&stream, &inflateEnd};

  stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(bytes.data()));
  std::size_t left = bytes.size();  // behind what the stream was given
  base::BoundedText text{4 * bytes.size() + 64, limit};
  while (!text.exceeded()) {
    if (stream.avail_in == 0) {
      base::tell(progress, "decompressing", bytes.size() - left, bytes.size());
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
             const base::Progress& progress) -> tl::expected<std::string, base::Error> {
  const auto refuse = [&](std::string reason) {
    return tl::unexpected(base::Error{file, 0, std::move(reason)});
  };
  // libbz2 cannot begin anew with a stream that has ended.
  bz_stream stream{};
  const auto begin = [&stream] { return BZ2_bzDecompressInit(&stream, 0, 0) == BZ_OK; };
  if (!begin())
    return refuse("cannot be decompressed: out of memory");
  const std::unique_ptr<bz_stream, decltype(&BZ2_bzDecompressEnd)> owner{&stream, &BZ2_bzDecompressEnd};

  stream.next_in = const_cast<char*>(bytes.data());
  std::size_t left = bytes.size();  // behind what the stream was given
  base::BoundedText text{8 * bytes.size() + 64, limit};
  while (!text.exceeded()) {
    if (stream.avail_in == 0) {
      base::tell(progress, "decompressing", bytes.size() - left, bytes.size());
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

auto read_content(const std::filesystem::path& file, std::size_t limit, const base::Progress& progress)
    -> tl::expected<std::string, base::Error> {
  auto bytes = base::read_file(file, limit, progress);
  if (!bytes)
    return bytes;
  using namespace std::string_view_literals;
  if (bytes->starts_with("PK\3\4"sv))
    return tl::unexpected(
        base::Error{file, 0, "is a zip archive: unpack it, and name the file that is in it"});
  auto content = is_gzip(*bytes)    ? inflate(*bytes, file, limit, progress)
                 : is_bzip2(*bytes) ? bunzip2(*bytes, file, limit, progress)
                 : is_xz(*bytes)    ? unxz(*bytes, file, limit, progress)
                 : is_zstd(*bytes)  ? unzstd(*bytes, file, limit, progress)
                                    : std::move(bytes);
  return content ? base::to_utf8(std::move(*content), file) : std::move(content);
}

}  // namespace sekisho::formats
