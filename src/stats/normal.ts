/** Quantiles of the standard normal distribution. */
export const NORMAL_QUANTILES = {
  /** 75 %: two-sided 50 %. */
  '75': 0.6744897501960817,
  /** 80 %: one-sided, for a power of 80 %. */
  '80': 0.8416212335729143,
  /** 95 %: two-sided 90 %. */
  '95': 1.6448536269514722,
  /** 97.5 %: two-sided 95 %. */
  '97.5': 1.959963984540054,
} as const;
