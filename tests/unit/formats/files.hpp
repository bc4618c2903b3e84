// SPDX-License-Identifier: BSD-3-Clause
// Files as a test writes and reads them: compressed, and their routes in words.
#pragma once

#include <bzlib.h>
#include <gtest/gtest.h>
#include <zlib.h>

#include <string>
#include <string_view>
#include <tl/expected.hpp>
#include <vector>

#include "common/base/prefix.hpp"
#include "control/formats/reader.hpp"
#include "control/formats/route_file.hpp"
#include "tests/unit/temporary_folder.hpp"

namespace sekisho::formats {

// Each route as "line PREFIX NEXT-HOP".
inline auto describe(const RouteFile& text) -> std::vector<std::string> {
  std::vector<std::string> result;
  for (const auto& route : text.routes)
    result.push_back(std::to_string(route.line) + " " + base::to_string(route.prefix) + " " +
                     to_string(text.next_hops.at(route.next_hop)));
  return result;
}

// Routes of a file with this content as `describe` has them, and what was found, each without the file's name.
struct Told {
  std::vector<std::string> routes;
  std::vector<std::string> findings;
};
inline auto tell(const std::string& content, const std::string& table = "")
    -> tl::expected<Told, std::string> {
  const test::TemporaryFolder folder;
  const auto path = folder.write("routes.json", content);
  const auto file = read_routes(path, {.table = table, .empty = Empty::allowed});
  if (!file)
    return tl::unexpected(file.error().to_string().substr(path.string().size()));
  Told result{.routes = describe(*file), .findings = {}};
  for (const auto& finding : file->findings)
    result.findings.push_back(finding.where.to_string().substr(path.string().size()));
  return result;
}

inline auto gzip(std::string_view text) -> std::string {
  z_stream stream{};
  EXPECT_EQ(deflateInit2(&stream, 9, Z_DEFLATED, 16 + MAX_WBITS, 9, Z_DEFAULT_STRATEGY), Z_OK);
  std::string bytes(deflateBound(&stream, text.size()) + 64, '\0');
  stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(text.data()));
  stream.avail_in = static_cast<uInt>(text.size());
  stream.next_out = reinterpret_cast<Bytef*>(bytes.data());
  stream.avail_out = static_cast<uInt>(bytes.size());
  EXPECT_EQ(deflate(&stream, Z_FINISH), Z_STREAM_END);
  bytes.resize(stream.total_out);
  deflateEnd(&stream);
  return bytes;
}

inline auto bzip2(std::string text) -> std::string {
  std::string bytes(text.size() + text.size() / 100 + 601, '\0');
  auto size = static_cast<unsigned>(bytes.size());
  EXPECT_EQ(
      BZ2_bzBuffToBuffCompress(bytes.data(), &size, text.data(), static_cast<unsigned>(text.size()), 9, 0, 0),
      BZ_OK);
  bytes.resize(size);
  return bytes;
}

}  // namespace sekisho::formats
