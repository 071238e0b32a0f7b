import schema from '../../schemas/dataset.schema.json' with { type: 'json' };

const { properties } = schema.properties.audio;

/** How sound becomes events: `audio:` of a data set's file, whose schema has the descriptions and defaults. */
export type AudioSettings = {
  readonly [K in keyof typeof properties]: (typeof properties)[K]['default'];
};

export const AUDIO_DEFAULTS = Object.fromEntries(
  Object.entries(properties).map(([key, rule]) => [key, rule.default]),
) as unknown as AudioSettings;
