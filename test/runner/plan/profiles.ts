/** Files of a small project with profiles: a schema and two profiles, `small` being the default. */
export const profileFiles = {
  'profile.schema.json': JSON.stringify({
    type: 'object',
    additionalProperties: false,
    required: ['models'],
    properties: {
      models: { type: 'array', items: { type: 'string' } },
      seeds: { type: 'array', items: { type: 'integer' } },
      data: {
        type: 'object',
        additionalProperties: false,
        properties: { root: { type: 'string' }, simulated: { type: 'boolean' }, size: { type: 'integer' } },
      },
      train: {
        type: 'object',
        additionalProperties: false,
        properties: { epochs: { type: 'integer', minimum: 1 }, rate: { type: 'number' } },
      },
      title: { type: 'string' },
      extra: { type: 'string' },
    },
  }),
  'profiles/small.yaml':
    'models: [one, two]\nseeds: [1, 2]\ndata: {root: artifacts/data, simulated: true}\ntrain:\n  epochs: 3\n',
  'profiles/large.yaml': 'models: [one]\ndata: {root: data, simulated: false}\n',
  'data/events.bin': 'x',
};

export const profileHead =
  'version: 1\nprofiles: {folder: profiles, default: small, schema: profile.schema.json}\nstages:\n';
