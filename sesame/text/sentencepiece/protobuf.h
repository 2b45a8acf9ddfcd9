#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace sesame {

/// The fields of a message in protobuf's wire format, one after another
/// (https://protobuf.dev/programming-guides/encoding). Views into the bytes; nothing is copied.
class ProtobufFields {
 public:
  /// `what` (a file, a message) begins every Error, followed by the byte where the trouble is: `offset` of the message
  /// in its file, plus the place in it.
  ProtobufFields(std::string_view message, std::string what, uint64_t offset = 0);

  /// Goes to the next field; false behind the last one. Throws Error for a message that is cut short or no protobuf.
  bool next();

  [[nodiscard]] uint32_t number() const noexcept { return number_; }

  // The value of the field. Each throws Error for a field of another wire type.
  [[nodiscard]] std::string_view bytes() const;
  [[nodiscard]] uint64_t varint() const;
  [[nodiscard]] int32_t int32() const;  // as protobuf's: the lower 32 bits
  [[nodiscard]] bool boolean() const { return varint() != 0; }
  [[nodiscard]] float float32() const;
  /// The fields of a message inside this one.
  [[nodiscard]] ProtobufFields message() const;

  [[noreturn]] void fail_here(std::string_view problem) const;

 private:
  enum class WireType : uint8_t { varint = 0, fixed64 = 1, bytes = 2, fixed32 = 5 };

  uint64_t read_varint();
  std::string_view read_bytes(uint64_t size);
  void expect(WireType type) const;

  std::string_view message_;
  std::string what_;
  uint64_t offset_;
  size_t position_ = 0;
  size_t field_ = 0;  // where the current field begins
  uint32_t number_ = 0;
  WireType type_ = WireType::varint;
  uint64_t value_ = 0;
  std::string_view bytes_;
};

/// Builds a message in protobuf's wire format.
class ProtobufMessage {
 public:
  void add_varint(uint32_t number, uint64_t value);
  /// As int32: a negative number has ten bytes.
  void add_int32(uint32_t number, int32_t value) { add_varint(number, static_cast<uint64_t>(int64_t{value})); }
  void add_boolean(uint32_t number, bool value) { add_varint(number, value ? 1 : 0); }
  void add_float32(uint32_t number, float value);
  void add_bytes(uint32_t number, std::string_view bytes);
  void add_message(uint32_t number, const ProtobufMessage& message) { add_bytes(number, message.bytes()); }

  [[nodiscard]] const std::string& bytes() const noexcept { return bytes_; }

 private:
  void append_varint(uint64_t value);

  std::string bytes_;
};

}  // namespace sesame
