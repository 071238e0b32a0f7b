#pragma once
// A convolution's data for the tests, as plain arrays [images][channels][height][width] in double precision next to
// the engine's layouts, and plain loops for what the kernels should give.

#include "check.h"

namespace plif::test {

using Numbers = std::vector<double>;

/// [images][channels][height][width].
struct Plain {
  int images;
  int channels;
  int height;
  int width;
  Numbers values;

  Plain(int images_, int channels_, int height_, int width_)
      : images(images_),
        channels(channels_),
        height(height_),
        width(width_),
        values(static_cast<std::size_t>(images_) * channels_ * height_ * width_) {}
  double& at(int n, int c, int y, int x) {
    return values[((static_cast<std::size_t>(n) * channels + c) * height + y) * width + x];
  }
  /// Zero outside the image.
  double get(int n, int c, int y, int x) const {
    if (y < 0 || y >= height || x < 0 || x >= width) return 0;
    return values[((static_cast<std::size_t>(n) * channels + c) * height + y) * width + x];
  }
};

/// What is outside the interior of a result before a kernel runs; it has to be there afterwards.
constexpr float kUntouched = 7.25f;

Plain randomNumbers(int images, int channels, int height, int width, unsigned seed);
Plain randomSpikes(int images, int channels, int height, int width, double density, unsigned seed);
/// Weights as a plain array with `images` output channels, rounded to single precision like all random numbers here.
Plain randomWeights(const ConvSize& conv, unsigned seed);

BlockedShape shapeOf(const Plain& plain, int border);
/// Copies into the blocked layout; border and surplus channels are zero.
void toBlocked(const Plain& plain, const BlockedShape& shape, float* blocked);
void toMaster(const ConvSize& conv, const Plain& weights, float* master);
void toSpikes(const Plain& plain, std::uint64_t* spikes);
void toPlanes(const Plain& plain, std::uint64_t* planes);
/// The blocked layout filled with `kUntouched`.
void fillUntouched(const BlockedShape& shape, int images, float* blocked);
/// Compares the interior, wants zeros in surplus channels and `kUntouched` in the border.
void compareBlocked(const std::string& what, const float* blocked, const BlockedShape& shape, const Plain& expected,
                    double tolerance);
void compareMaster(const std::string& what, const ConvSize& conv, const float* master, const Plain& expected,
                   double tolerance);

Plain convolve(const ConvSize& conv, const Plain& weights, const Plain& x);
Plain inputGradient(const ConvSize& conv, const Plain& weights, const Plain& dy);
Plain weightGradient(const ConvSize& conv, const Plain& x, const Plain& dy);

std::string describe(const ConvSize& conv, int images);

struct Sized {
  ConvSize conv;
  int images;
};

ConvSize threeByThree(int in, int out, int height, int width);
/// Sizes that divide nothing, one that fills every panel, and images smaller than any tile.
const std::vector<Sized>& sizes();

/// Splits 0 … count in uneven shares.
template <class Share>
void inShares(std::int64_t count, Share share) {
  for (std::int64_t first = 0, size = 1; first < count; first += size, size = size * 3 - 1) {
    share(first, first + size < count ? first + size : count);
  }
}

}  // namespace plif::test
