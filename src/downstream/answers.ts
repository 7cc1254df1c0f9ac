/**
 * answers - the replies of one delivery, by the position of the recipient in its envelope.
 *
 * The first reply of a recipient stands, whatever comes later: a connection that breaks cannot take it back.
 */
import type { Reply } from '../core/reply.ts';

export class Answers {
  readonly #replies: (Reply | null)[];
  readonly #onReply: ((position: number, reply: Reply) => void) | undefined;
  readonly #shown: (reply: Reply) => Reply;
  #missing: number;

  /** `shown`: what clients get to see of a reply; left out: all. */
  constructor(
    recipients: number,
    onReply: ((position: number, reply: Reply) => void) | undefined,
    shown: (reply: Reply) => Reply = (reply) => reply,
  ) {
    this.#shown = shown;
    this.#replies = new Array<Reply | null>(recipients).fill(null);
    this.#onReply = onReply;
    this.#missing = recipients;
  }

  /** How many have no reply yet. */
  get missing(): number {
    return this.#missing;
  }

  set(position: number, given: Reply): void {
    if (this.#replies[position] !== null) return;
    const reply = this.#shown(given);
    this.#replies[position] = reply;
    this.#missing--;
    this.#onReply?.(position, reply);
  }

  /** The same reply for all who have none yet. */
  rest(reply: Reply): void {
    for (let position = 0; this.#missing > 0 && position < this.#replies.length; position++) this.set(position, reply);
  }

  /** One reply for each recipient, in order; that none is missing is the caller's duty. */
  all(): readonly Reply[] {
    return this.#replies.map((reply, position) => {
      if (reply === null) throw new Error(`no reply for the recipient at position ${position}`);
      return reply;
    });
  }
}
