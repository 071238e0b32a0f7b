/**
 * Where an AEDAT 2.0 event's 32-bit address holds its parts: `x = ((address >>> xShift) & xMask) ^ xFlip`, y and p alike.
 * With all bits of the mask in `flip`, the coordinate is mirrored: `127 - x` is `x ^ 127` for 7 bits.
 */
export interface Aedat2Address {
  readonly xShift: number;
  readonly xMask: number;
  readonly xFlip: number;
  readonly yShift: number;
  readonly yMask: number;
  readonly yFlip: number;
  readonly pShift: number;
  /** 1 exchanges the polarities. */
  readonly pFlip: 0 | 1;
  /** An address with any of these bits is no event of a pixel and is left out. */
  readonly skipped: number;
  /** An address with any of these bits is odd: counted, with a warning. */
  readonly unused: number;
}

/**
 * CIFAR10-DVS as the original's frames have it. The camera is a DVS128: polarity in bit 0, x in bits 1-7, y in bits
 * 8-14, and the result is `x = 127 - x`, `y = y`, `p = 1 - p`. So does the loader of SpikingJelly's old data sets
 * (`EventsFramesDatasetBase`, autumn 2020), whose arguments (`train`, `split_ratio`, `use_frame`, `frames_num`) the
 * original's scripts use. jAER's own class DVS128 reads the addresses in the same way (bit 0 clear is brighter). The loader
 * keeps every event, whatever bits 15-31 are.
 *
 * That loader's file also has constants for the DAVIS cameras (x in bits 12-21 and so on, `DAVIS_ADDRESS` here), but
 * they are only defaults that CIFAR10-DVS overrides: read by them, every event of a DVS128 would be at y 0.
 */
export const CIFAR10_DVS_ADDRESS: Aedat2Address = {
  xShift: 1,
  xMask: 0x7f,
  xFlip: 0x7f,
  yShift: 8,
  yMask: 0x7f,
  yFlip: 0,
  pShift: 0,
  pFlip: 1,
  skipped: 0,
  unused: 0xffff_8000 | 0,
};

/** jAER's DVS128: as CIFAR10-DVS, but what has a bit above 14 (an external signal) is left out, as jAER does. */
export const DVS128_ADDRESS: Aedat2Address = {
  ...CIFAR10_DVS_ADDRESS,
  skipped: 0xffff_8000 | 0,
  unused: 0,
};

/**
 * jAER's DAVIS cameras, coordinates as in the file: polarity in bit 11, x in bits 12-21, y in bits 22-30. Bit 31 marks
 * samples of the picture sensor, bit 10 external events and the motion sensor: no pixel's events, left out.
 */
export const DAVIS_ADDRESS: Aedat2Address = {
  xShift: 12,
  xMask: 0x3ff,
  xFlip: 0,
  yShift: 22,
  yMask: 0x1ff,
  yFlip: 0,
  pShift: 11,
  pFlip: 0,
  skipped: 0x8000_0400 | 0,
  unused: 0,
};
