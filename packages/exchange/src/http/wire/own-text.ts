/**
 * The same text in memory of its own. A text cut out of a head, or put together of such, keeps all of the head for as long
 * as it is kept itself: whatever outlives its request and came with it goes through here.
 */
export function ownText(text: string): string {
  return Buffer.from(text, 'utf8').toString('utf8');
}
