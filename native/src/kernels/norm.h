#pragma once
// Batch norm over one plane of 16 channels.

#include "table.h"
#include "vector.h"

namespace plif::PLIF_ISA {

/// Mean and Σ (y − mean)² in two passes: the plane is in the second-level cache for the second. Rows are summed in
/// single precision, in four chains that hide the additions' latency, and added up in double precision.
inline void planeMoments(const float* plane, const BlockedShape& shape, double* mean, double* squares) {
  const double pixels = static_cast<double>(shape.height) * shape.width;
  for (int part = 0; part < kParts; part++) {
    const int lane = part * kLanes;
    Vec center{};
    for (int pass = 0; pass < 2; pass++) {
      double totals[kLanes] = {};
      for (int row = 0; row < shape.height; row++) {
        const float* y = plane + shape.at(0, 0, row, 0) + lane;
        Vec sums[4] = {};
        int x = 0;
        for (; x + 4 <= shape.width; x += 4) {
          PLIF_UNROLL
          for (int i = 0; i < 4; i++) {
            const Vec value = load(y + static_cast<std::size_t>(x + i) * kBlock) - center;
            sums[i] = pass == 0 ? sums[i] + value : multiplyAdd(value, value, sums[i]);
          }
        }
        for (; x < shape.width; x++) {
          const Vec value = load(y + static_cast<std::size_t>(x) * kBlock) - center;
          sums[0] = pass == 0 ? sums[0] + value : multiplyAdd(value, value, sums[0]);
        }
        const Vec sum = (sums[0] + sums[1]) + (sums[2] + sums[3]);
        for (int i = 0; i < kLanes; i++) totals[i] += sum[i];
      }
      for (int i = 0; i < kLanes; i++) {
        if (pass == 0) {
          mean[lane + i] = totals[i] / pixels;
          center[i] = static_cast<float>(mean[lane + i]);
        } else {
          // The center was rounded to single precision.
          const double error = mean[lane + i] - static_cast<double>(center[i]);
          squares[lane + i] = totals[i] - pixels * error * error;
        }
      }
    }
    for (int i = 0; i < kLanes; i++) squares[lane + i] = squares[lane + i] > 0 ? squares[lane + i] : 0;
  }
}

/// `dy = slope · dx + tilt · y + offset`, in place. Limited by memory: two arrays are read and one written.
inline void normBackward(float* dx, const BlockedShape& dxShape, const float* y, const BlockedShape& yShape,
                         const float* slope, const float* tilt, const float* offset) {
  Vec a[kParts], b[kParts], c[kParts];
  for (int part = 0; part < kParts; part++) {
    a[part] = load(slope + part * kLanes);
    b[part] = load(tilt + part * kLanes);
    c[part] = load(offset + part * kLanes);
  }
  for (int row = 0; row < dxShape.height; row++) {
    float* to = dx + dxShape.at(0, 0, row, 0);
    const float* from = y + yShape.at(0, 0, row, 0);
    for (int x = 0; x < dxShape.width; x++) {
      PLIF_UNROLL
      for (int part = 0; part < kParts; part++) {
        const std::size_t at = static_cast<std::size_t>(x) * kBlock + part * kLanes;
        store(to + at, multiplyAdd(load(to + at), a[part], multiplyAdd(load(from + at), b[part], c[part])));
      }
    }
  }
}

/// `out = y · scale + shift`.
inline void normAffine(const float* y, const BlockedShape& yShape, const float* scale, const float* shift, float* out,
                       const BlockedShape& outShape) {
  for (int row = 0; row < yShape.height; row++) {
    const float* from = y + yShape.at(0, 0, row, 0);
    float* to = out + outShape.at(0, 0, row, 0);
    for (int x = 0; x < yShape.width; x++) {
      PLIF_UNROLL
      for (int part = 0; part < kParts; part++) {
        const std::size_t at = static_cast<std::size_t>(x) * kBlock + part * kLanes;
        store(to + at, multiplyAdd(load(from + at), load(scale + part * kLanes), load(shift + part * kLanes)));
      }
    }
  }
}

}  // namespace plif::PLIF_ISA
