/** How shares are read out: times 100, with so many digits after the decimal point. */
export interface ShareUnit {
  readonly digits: number;
  readonly unit: string;
}

/** A line of a panel, as its values can be read. */
export interface ReadableLine {
  readonly label: string;
  /** A name in the palette. */
  readonly color: string;
  /** Whole numbers on the horizontal axis, and the values there. */
  readonly points: readonly (readonly [place: number, value: number])[];
}

/** What can be read from a panel over whole numbers, such as epochs: all its lines, in the order of the legend. */
export interface Readings {
  /** What the horizontal axis counts. */
  readonly axis: string;
  readonly domain: readonly [number, number];
  /** The part of the plot's width that the axis takes, from the left; default 1. */
  readonly extent?: number;
  readonly lines: readonly ReadableLine[];
  /** If the values are shares, shown as percentages or their like. */
  readonly share?: ShareUnit;
}
