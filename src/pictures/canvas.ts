/** A picture of palette positions. */
export class Canvas {
  readonly width: number;
  readonly height: number;
  /** [height, width], positions in a palette. */
  readonly pixels: Uint8Array;

  constructor(width: number, height: number, background: number) {
    this.width = width;
    this.height = height;
    this.pixels = new Uint8Array(width * height).fill(background);
  }

  /** Fills a rectangle; what lies outside the picture on the right or below is left out. */
  fill(left: number, top: number, width: number, height: number, index: number): void {
    const right = Math.min(left + width, this.width);
    const bottom = Math.min(top + height, this.height);
    for (let y = top; y < bottom; y++) this.pixels.fill(index, y * this.width + left, y * this.width + right);
  }
}
