/** @returns the positions of the first `most` members of each class, in order; of all if there is no limit */
export function limitPerClass(classes: Iterable<number>, most: number | undefined): number[] {
  const taken = new Map<number, number>();
  const kept: number[] = [];
  let position = 0;
  for (const label of classes) {
    const count = (taken.get(label) ?? 0) + 1;
    if (most === undefined || count <= most) {
      taken.set(label, count);
      kept.push(position);
    }
    position += 1;
  }
  return kept;
}
