/**
 * What a copy is called until it is whole, among bodies too where one is restored or moved here; no blob's name and no
 * body's begins with a dot. A process that was killed leaves it.
 */
export const unfinishedStart = '.unfinished-';
