export { formatPoints } from '../format.ts';
