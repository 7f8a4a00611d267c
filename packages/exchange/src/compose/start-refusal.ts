/** What keeps an exchange from starting and whoever set it up can mend; the sentence says how, and holds no secret. */
export class StartRefusal extends Error {
  constructor(message: string) {
    super(message);
    this.name = 'StartRefusal';
  }
}
