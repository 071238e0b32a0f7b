import type { ModelResult } from '../data/results.ts';
import { type PublishedSettings, publishedSettings, THESIS } from '../data/thesis.ts';
import { type Claim, isImages } from './claim.ts';
import type { NetworkKey } from './measure.ts';

/** Steps per clip, channels, and blocks of the network where they vary, from the commands in the README of Fang et al. 2021. */
const FANG: Readonly<Record<string, { steps: number; channels: number; layers?: number; size?: number }>> = {
  mnist: { steps: 8, channels: 128 },
  'fashion-mnist': { steps: 8, channels: 128 },
  cifar10: { steps: 8, channels: 256 },
  nmnist: { steps: 10, channels: 128, layers: 2, size: 34 },
  'cifar10-dvs': { steps: 20, channels: 128, layers: 4, size: 128 },
  'dvs128-gesture': { steps: 20, channels: 128, layers: 5, size: 128 },
};

/** The settings with which a model was trained whose results a claim states. */
export function settingsOf(claim: Claim, model: ModelResult): PublishedSettings {
  const { dataset, measure, published, requires } = claim;
  const settings =
    measure.kind === 'accuracy' && measure.network !== null
      ? fangSettings(dataset, measure.network, published?.clips ?? 0)
      : publishedSettings(model);
  const validationShare = requires.validationShare ?? settings.train.validationShare;
  return validationShare === undefined
    ? settings
    : { ...settings, train: { ...settings.train, validationShare } };
}

function fangSettings(
  dataset: string,
  { neuron, tau, pooling }: NetworkKey,
  testClips: number,
): PublishedSettings {
  const { steps, channels, layers, size } = FANG[dataset] ?? {};
  const { splitBy, normalization } = THESIS.frames;
  return {
    frames: {
      ...(steps === undefined ? {} : { steps }),
      ...(isImages(dataset) ? {} : { splitBy, normalization }),
      ...(size === undefined ? {} : { height: size, width: size }),
    },
    network: {
      ...(channels === undefined ? {} : { channels }),
      ...(layers === undefined ? {} : { layers }),
      neuron,
      pooling,
      'tau.per': 'layer',
      'tau.mean': tau,
      'reset.kind': 'hard',
      'reset.detach': true,
      'surrogate.kind': 'atan',
      'surrogate.alpha': 2,
      'surrogate.learnable': false,
      dropout: 0.5,
      threshold: 1,
    },
    loss: { regulariseTau: 0 },
    train: { learningRate: 0.001, cosineHalfPeriod: 64 },
    clips: { test: testClips },
  };
}
