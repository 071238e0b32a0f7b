import { type Normalisation, normaliseFrames } from '../events/normalise.ts';
import type { CachedClip } from '../results/clip-index.ts';
import type { ClipSource } from './clip-source.ts';

/**
 * The clips of a source, with their counts normalised as they are read, in single precision; the source does not change.
 *
 * @param clips the durations of each clip's frames, for `frequency`
 */
export function normalisedSource(
  source: ClipSource,
  kind: Normalisation,
  clips: readonly Pick<CachedClip, 'durationsUs'>[],
): ClipSource {
  const [, , height, width] = source.shape;
  const length = source.shape.reduce((product, size) => product * size, 1);
  return {
    clips: source.clips,
    shape: source.shape,
    async read(rows) {
      const { shape, data: counts } = await source.read(rows);
      const data = Float32Array.from(counts);
      rows.forEach((row, i) => {
        const durations = clips[row]?.durationsUs;
        normaliseFrames(
          data.subarray(i * length, (i + 1) * length),
          { height, width },
          kind,
          durations === undefined ? null : Float64Array.from(durations),
        );
      });
      return { shape, data };
    },
    close: () => source.close(),
  };
}
