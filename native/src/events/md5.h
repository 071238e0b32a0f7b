#pragma once
// MD5 (RFC 1321) of two files at once: each step of the algorithm waits for the one before it, so a core can do the
// steps of a second file in the meantime. Only to compare files with the checksums that their publishers give.

#include <array>
#include <cstddef>
#include <cstdint>
#include <string>

namespace plif {

class Md5 {
 public:
  void update(const std::uint8_t* bytes, std::size_t length);
  /// Updates both, at little more than the time of the longer one alone.
  static void updateBoth(Md5& a, const std::uint8_t* ofA, std::size_t lengthOfA, Md5& b, const std::uint8_t* ofB,
                         std::size_t lengthOfB);
  /// 32 hexadecimal digits; nothing may be added afterwards.
  std::string finish();

 private:
  static constexpr std::size_t kBlockBytes = 64;

  /// Takes bytes up to the end of a block that was begun. @returns how many
  std::size_t fill(const std::uint8_t* bytes, std::size_t length);
  /// Keeps fewer bytes than a block.
  void keep(const std::uint8_t* bytes, std::size_t length);

  std::array<std::uint32_t, 4> state_{0x67452301, 0xefcdab89, 0x98badcfe, 0x10325476};
  std::uint64_t bytes_ = 0;
  std::uint8_t begun_[kBlockBytes];
  std::size_t begunBytes_ = 0;
};

}  // namespace plif
