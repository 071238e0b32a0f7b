import { fangSettings, type PublishedSettings, publishedSettings } from '../../thesis/published.ts';
import type { ModelResult } from '../results.ts';
import type { Claim } from './claim.ts';

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
