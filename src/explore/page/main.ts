import type { Payload } from '../payload.ts';
import { element } from './dom.ts';

const payload: Payload = JSON.parse(document.getElementById('payload')?.textContent ?? '');
document.getElementById('explore')?.append(element('p', {}, `${payload.models.length} models`));
