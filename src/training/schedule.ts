/**
 * Learning rate of an epoch under cosine annealing that is never restarted: `η · (1 + cos(π · epoch / halfPeriod)) / 2`.
 * It falls to 0 over `halfPeriod` epochs (PyTorch's `T_max`) and rises again over as many.
 *
 * @param epoch 0-based
 * @see Loshchilov and Hutter 2017, eq. 5; the closed form of `torch.optim.lr_scheduler.CosineAnnealingLR`
 */
export function cosineLearningRate(initial: number, halfPeriod: number, epoch: number): number {
  return (initial * (1 + Math.cos((Math.PI * epoch) / halfPeriod))) / 2;
}
