/**
 * A convolution with stride 1 over channels-last images.
 * Input [batch, height, width, inChannels], weight [outChannels, inChannels, kernel, kernel] as in PyTorch, output
 * [batch, height + 2·padding − kernel + 1, width + 2·padding − kernel + 1, outChannels].
 */
export interface ConvolutionGeometry {
  readonly batch: number;
  readonly height: number;
  readonly width: number;
  readonly inChannels: number;
  readonly outChannels: number;
  readonly kernel: number;
  /** Zeros around the image, at most kernel − 1. */
  readonly padding: number;
}

export function outputSize(g: ConvolutionGeometry): { height: number; width: number } {
  const shrink = g.kernel - 1 - 2 * g.padding;
  return { height: g.height - shrink, width: g.width - shrink };
}
