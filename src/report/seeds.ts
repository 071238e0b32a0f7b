/** From so many seeds on, an interval of their mean says something: with two it is 13 standard errors wide on each side. */
export const SEEDS_FOR_INTERVAL = 3;
