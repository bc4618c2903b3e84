// SPDX-License-Identifier: BSD-3-Clause
// What a netlink message from the kernel carries. A view: the message has to live longer.
#pragma once

#include <libmnl/libmnl.h>

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "common/base/mac_address.hpp"

namespace sekisho::netlink {

// Null: the message is too short for it.
template <typename Header>
const Header* header_of(const nlmsghdr& message) {
  return mnl_nlmsg_get_payload_len(&message) >= sizeof(Header)
             ? static_cast<const Header*>(mnl_nlmsg_get_payload(&message))
             : nullptr;
}

// IPv4 addresses stand in messages in network order.
[[nodiscard]] std::uint32_t to_host(std::uint32_t big_endian);
[[nodiscard]] std::uint32_t to_network(std::uint32_t address);

// Of an attribute, or empty for none.
[[nodiscard]] std::string text_of(const nlattr* attribute);
// The attributes of this type within another, or within none.
[[nodiscard]] auto all_nested(const nlattr* outer, unsigned type) -> std::vector<const nlattr*>;
// The first of them; null: there is none.
[[nodiscard]] const nlattr* nested(const nlattr* outer, unsigned type);

// A message's attributes behind its header, by type below `types`; of a type that stands twice the last. One of another length
// than is asked for is none.
class Attributes {
 public:
  Attributes(const nlmsghdr& message, std::size_t header, std::size_t types);

  [[nodiscard]] bool has(std::size_t type) const { return by_type_[type] != nullptr; }
  [[nodiscard]] const nlattr* get(std::size_t type) const { return by_type_[type]; }
  // A number in the host's order.
  template <typename Number>
  [[nodiscard]] std::optional<Number> number(std::size_t type) const {
    Number value{};
    return copy(type, &value, sizeof value) ? std::optional(value) : std::nullopt;
  }
  [[nodiscard]] auto u32(std::size_t type) const { return number<std::uint32_t>(type); }
  [[nodiscard]] std::optional<std::uint32_t> address(std::size_t type) const;
  [[nodiscard]] std::optional<base::MacAddress> mac(std::size_t type) const {
    return number<base::MacAddress>(type);
  }
  [[nodiscard]] std::string string(std::size_t type) const { return text_of(by_type_[type]); }

 private:
  [[nodiscard]] bool copy(std::size_t type, void* value, std::size_t size) const;
  std::vector<const nlattr*> by_type_;
};

}  // namespace sekisho::netlink
