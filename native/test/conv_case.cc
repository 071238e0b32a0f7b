#include "conv_case.h"

namespace plif::test {

Plain randomNumbers(int images, int channels, int height, int width, unsigned seed) {
  Plain plain(images, channels, height, width);
  std::mt19937 generator(seed);
  std::normal_distribution<float> normal(0.1f, 1.0f);
  for (double& value : plain.values) value = normal(generator);
  return plain;
}

Plain randomSpikes(int images, int channels, int height, int width, double density, unsigned seed) {
  Plain plain(images, channels, height, width);
  std::mt19937 generator(seed);
  std::bernoulli_distribution spikes(density);
  for (double& value : plain.values) value = spikes(generator) ? 1 : 0;
  return plain;
}

Plain randomWeights(const ConvSize& conv, unsigned seed) {
  return randomNumbers(conv.outChannels, conv.inChannels, conv.kernel, conv.kernel, seed);
}

BlockedShape shapeOf(const Plain& plain, int border) {
  return {blocksOf(plain.channels), plain.height, plain.width, border};
}

void toBlocked(const Plain& plain, const BlockedShape& shape, float* blocked) {
  for (int n = 0; n < plain.images; n++) {
    for (int c = 0; c < plain.channels; c++) {
      for (int y = 0; y < plain.height; y++) {
        for (int x = 0; x < plain.width; x++) {
          blocked[shape.at(n, c / kBlock, y, x) + c % kBlock] = static_cast<float>(plain.get(n, c, y, x));
        }
      }
    }
  }
}

void toMaster(const ConvSize& conv, const Plain& weights, float* master) {
  for (int o = 0; o < conv.outChannels; o++) {
    for (int i = 0; i < conv.inChannels; i++) {
      for (int tap = 0; tap < conv.taps(); tap++) {
        master[conv.masterAt(o / kBlock, i, tap) + o % kBlock] =
            static_cast<float>(weights.get(o, i, tap / conv.kernel, tap % conv.kernel));
      }
    }
  }
}

void toSpikes(const Plain& plain, std::uint64_t* spikes) {
  const SpikeShape shape{plain.channels, plain.height, plain.width};
  for (int n = 0; n < plain.images; n++) {
    for (int c = 0; c < plain.channels; c++) {
      for (int y = 0; y < plain.height; y++) {
        for (int x = 0; x < plain.width; x++) {
          if (plain.get(n, c, y, x) != 0) spikes[shape.at(n, y, x) + c / 64] |= std::uint64_t{1} << (c % 64);
        }
      }
    }
  }
}

void toPlanes(const Plain& plain, std::uint64_t* planes) {
  const PlaneShape shape{plain.channels, plain.height, plain.width};
  for (int n = 0; n < plain.images; n++) {
    for (int c = 0; c < plain.channels; c++) {
      for (int y = 0; y < plain.height; y++) {
        const std::size_t planeRow = static_cast<std::size_t>(c) * plain.height + y;
        std::uint64_t* row = planes + n * shape.imageStride() + planeRow * shape.words();
        for (int x = 0; x < plain.width; x++) {
          if (plain.get(n, c, y, x) != 0) row[x / 64] |= std::uint64_t{1} << (x % 64);
        }
      }
    }
  }
}

void fillUntouched(const BlockedShape& shape, int images, float* blocked) {
  for (std::size_t i = 0; i < images * shape.imageStride(); i++) blocked[i] = kUntouched;
}

void compareBlocked(const std::string& what, const float* blocked, const BlockedShape& shape, const Plain& expected,
                    double tolerance) {
  Numbers all(expected.images * shape.imageStride(), kUntouched);
  std::vector<float> interior;
  Numbers wanted;
  for (int n = 0; n < expected.images; n++) {
    for (int block = 0; block < shape.blocks; block++) {
      for (int y = -shape.border; y < shape.height + shape.border; y++) {
        for (int x = -shape.border; x < shape.width + shape.border; x++) {
          const bool inside = y >= 0 && y < shape.height && x >= 0 && x < shape.width;
          for (int lane = 0; lane < kBlock; lane++) {
            const float actual = blocked[shape.at(n, block, y, x) + lane];
            const int channel = block * kBlock + lane;
            if (!inside) {
              check(actual == kUntouched, what + ": the border was written");
            } else {
              interior.push_back(actual);
              wanted.push_back(channel < expected.channels ? expected.get(n, channel, y, x) : 0);
            }
          }
        }
      }
    }
  }
  compare(what, interior.data(), wanted, tolerance);
}

void compareMaster(const std::string& what, const ConvSize& conv, const float* master, const Plain& expected,
                   double tolerance) {
  Numbers wanted(conv.masterWeights());
  for (int o = 0; o < conv.outChannels; o++) {
    for (int i = 0; i < conv.inChannels; i++) {
      for (int tap = 0; tap < conv.taps(); tap++) {
        wanted[conv.masterAt(o / kBlock, i, tap) + o % kBlock] =
            expected.get(o, i, tap / conv.kernel, tap % conv.kernel);
      }
    }
  }
  compare(what, master, wanted, tolerance);
}

Plain convolve(const ConvSize& conv, const Plain& weights, const Plain& x) {
  Plain y(x.images, conv.outChannels, conv.outHeight(), conv.outWidth());
  for (int n = 0; n < x.images; n++) {
    for (int o = 0; o < y.channels; o++) {
      for (int row = 0; row < y.height; row++) {
        for (int column = 0; column < y.width; column++) {
          double sum = 0;
          for (int i = 0; i < conv.inChannels; i++) {
            for (int ky = 0; ky < conv.kernel; ky++) {
              for (int kx = 0; kx < conv.kernel; kx++) {
                sum += weights.get(o, i, ky, kx) * x.get(n, i, row + ky - conv.padding, column + kx - conv.padding);
              }
            }
          }
          y.at(n, o, row, column) = sum;
        }
      }
    }
  }
  return y;
}

// The derivatives are written as the chain rule has them: each product of the forward sum passes its gradient on to
// its two factors.

Plain inputGradient(const ConvSize& conv, const Plain& weights, const Plain& dy) {
  Plain dx(dy.images, conv.inChannels, conv.inHeight, conv.inWidth);
  for (int n = 0; n < dy.images; n++) {
    for (int o = 0; o < dy.channels; o++) {
      for (int row = 0; row < dy.height; row++) {
        for (int column = 0; column < dy.width; column++) {
          for (int ky = 0; ky < conv.kernel; ky++) {
            for (int kx = 0; kx < conv.kernel; kx++) {
              const int y = row + ky - conv.padding;
              const int x = column + kx - conv.padding;
              if (y < 0 || y >= dx.height || x < 0 || x >= dx.width) continue;
              for (int i = 0; i < conv.inChannels; i++)
                dx.at(n, i, y, x) += weights.get(o, i, ky, kx) * dy.get(n, o, row, column);
            }
          }
        }
      }
    }
  }
  return dx;
}

Plain weightGradient(const ConvSize& conv, const Plain& x, const Plain& dy) {
  Plain dw(conv.outChannels, conv.inChannels, conv.kernel, conv.kernel);
  for (int n = 0; n < dy.images; n++) {
    for (int row = 0; row < dy.height; row++) {
      for (int column = 0; column < dy.width; column++) {
        for (int i = 0; i < conv.inChannels; i++) {
          for (int ky = 0; ky < conv.kernel; ky++) {
            for (int kx = 0; kx < conv.kernel; kx++) {
              const double value = x.get(n, i, row + ky - conv.padding, column + kx - conv.padding);
              if (value == 0) continue;
              for (int o = 0; o < dy.channels; o++) dw.at(o, i, ky, kx) += value * dy.get(n, o, row, column);
            }
          }
        }
      }
    }
  }
  return dw;
}

std::string describe(const ConvSize& conv, int images) {
  const auto text = [](int number) { return std::to_string(number); };
  return text(images) + " x " + text(conv.inChannels) + " -> " + text(conv.outChannels) + ", " + text(conv.inHeight) +
         "x" + text(conv.inWidth) + ", kernel " + text(conv.kernel) + ", padding " + text(conv.padding);
}

ConvSize threeByThree(int in, int out, int height, int width) { return {in, out, 3, 1, height, width}; }

const std::vector<Sized>& sizes() {
  static const std::vector<Sized> all = {
      {threeByThree(13, 24, 7, 9), 3},   {threeByThree(70, 40, 5, 6), 2}, {threeByThree(128, 128, 8, 8), 1},
      {threeByThree(16, 16, 1, 1), 2},   {threeByThree(40, 70, 2, 3), 3}, {threeByThree(24, 250, 4, 11), 1},
      {threeByThree(130, 13, 9, 17), 2}, {threeByThree(5, 33, 33, 3), 1},
  };
  return all;
}

}  // namespace plif::test
