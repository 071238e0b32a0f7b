import { ReproError } from '../../errors.ts';

/** How a light affects a recording. */
export interface Light {
  readonly name: string;
  /** Multiplies every log-luminance difference of the scene: stray light lowers it. */
  readonly contrast: number;
  /** Amplitude of the common flicker, log luminance. */
  readonly flicker: number;
  /** Twice the mains frequency, Hz. */
  readonly flickerHz: number;
  /** Background events per pixel, Hz: more in dimmer light. */
  readonly noiseHz: number;
  /** Standard deviation of a pixel's threshold, relative to its mean. */
  readonly mismatch: number;
}

/** The five lights of DVS128 Gesture; the figures belong to this model and were not measured. */
const LIGHTS: readonly Light[] = [
  { name: 'fluorescent', contrast: 1.0, flicker: 0.03, flickerHz: 100, noiseHz: 0.08, mismatch: 0.1 },
  { name: 'fluorescent_led', contrast: 1.05, flicker: 0.015, flickerHz: 100, noiseHz: 0.06, mismatch: 0.1 },
  { name: 'lab', contrast: 0.9, flicker: 0.01, flickerHz: 100, noiseHz: 0.1, mismatch: 0.11 },
  { name: 'led', contrast: 0.85, flicker: 0, flickerHz: 100, noiseHz: 0.12, mismatch: 0.12 },
  { name: 'natural', contrast: 1.1, flicker: 0, flickerHz: 100, noiseHz: 0.04, mismatch: 0.09 },
];

/** @throws {ReproError} `simulate-options` if DVS128 Gesture has no such light */
export function findLight(name: string): Light {
  const light = LIGHTS.find((candidate) => candidate.name === name);
  if (light !== undefined) return light;
  throw new ReproError('simulate-options', `simulate.lights: there is no light "${name}".`, {
    fix: `The lights of DVS128 Gesture are ${LIGHTS.map((known) => known.name).join(', ')}.`,
  });
}
