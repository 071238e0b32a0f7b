/** Numbers of which the smallest is taken first. */
export class SmallestFirst {
  /** The largest first. */
  readonly #numbers: number[] = [];

  get first(): number | undefined {
    return this.#numbers.at(-1);
  }

  add(value: number): void {
    let [low, high] = [0, this.#numbers.length];
    while (low < high) {
      const middle = (low + high) >> 1;
      if (this.#numbers[middle]! > value) low = middle + 1;
      else high = middle;
    }
    this.#numbers.splice(low, 0, value);
  }

  take(): number | undefined {
    return this.#numbers.pop();
  }
}
