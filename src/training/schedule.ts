/**
 * Learning rate of an epoch under cosine annealing that is never restarted: `η · (1 + cos(π · epoch / period)) / 2`.
 * It falls to 0 over `period` epochs and rises again over as many.
 *
 * @param epoch 0-based
 * @see Loshchilov and Hutter 2017, eq. 5; the closed form of `torch.optim.lr_scheduler.CosineAnnealingLR`
 */
export function cosineLearningRate(initial: number, period: number, epoch: number): number {
  return (initial * (1 + Math.cos((Math.PI * epoch) / period))) / 2;
}
