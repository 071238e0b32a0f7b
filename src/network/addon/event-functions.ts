/** What the compiled addon does for the readers of recordings (native/src/addon/event_functions.cc). Without it they do the same in TypeScript. */
export interface EventAddon {
  /**
   * Whether all pixels are on the sensor, all timestamps are below 2^31 and none is smaller than the one before it.
   *
   * @param words two per event, as in `EventBlock`; those from `from` to before `to` are looked at
   * @param allValid whether the validity bits must be set, too
   */
  areRegular(
    words: Int32Array,
    from: number,
    to: number,
    lastColumn: number,
    lastRow: number,
    allValid: boolean,
  ): boolean;
  /**
   * Adds events to a frame [2, H, W].
   *
   * @param rows, columns [65536], [32768]: an event's place is `rows[y << 1 | polarity] + columns[x]`
   * @returns the OR of the counts that it wrote, before they were cut to 8 bits
   * @throws if a place is outside the frame
   */
  countEvents(
    frame: Uint8Array,
    rows: Int32Array,
    columns: Int32Array,
    words: Int32Array,
    from: number,
    to: number,
  ): number;
}
