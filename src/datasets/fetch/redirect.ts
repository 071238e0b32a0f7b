import { showUrl } from './show-url.ts';
import { TryFailure } from './try-failure.ts';

/**
 * Where a redirect leads. From https to http it is not followed: whoever listens there could send anything.
 *
 * @param location as sent; may be relative
 */
export function redirectTarget(from: URL, location: string | null): URL {
  if (location === null || !URL.canParse(location, from.href)) {
    throw new TryFailure('lasting', 'the server redirects without saying where to');
  }
  const target = new URL(location, from);
  const isAllowed =
    target.protocol === 'https:' || (target.protocol === 'http:' && from.protocol === 'http:');
  if (isAllowed) return target;
  throw new TryFailure(
    'lasting',
    `the server redirects from ${from.protocol} to ${target.protocol} (${showUrl(target)}), which is not followed`,
  );
}
