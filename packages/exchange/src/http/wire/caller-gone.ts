/** Nobody is left to answer. */
export class CallerGone extends Error {
  constructor() {
    super('the caller closed the connection before the answer was sent');
    this.name = 'CallerGone';
  }
}
