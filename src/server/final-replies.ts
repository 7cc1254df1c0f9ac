/**
 * final-replies - what the client is told after the dot.
 *
 * LMTP: one reply for each accepted RCPT, in RCPT order, each as soon as all before it are known (RFC 2033 section 4.2).
 * SMTP: one reply for all, made by `combine`.
 */
import { isPermanent, isPositive, isTransient, type Reply, replies } from '../core/reply.ts';
import type { Outcome } from '../core/verdict.ts';

/** Gives replies in order although they become known in any order. */
export class OrderedReplies {
  readonly #send: (reply: Reply) => void;
  readonly #known: (Reply | undefined)[];
  #next = 0;
  #open = false;

  constructor(count: number, send: (reply: Reply) => void) {
    this.#known = new Array<Reply | undefined>(count).fill(undefined);
    this.#send = send;
  }

  /** Nothing is said before the end of the content. */
  open(): void {
    this.#open = true;
    this.#flush();
  }

  set(position: number, reply: Reply): void {
    if (position >= this.#known.length) return;
    this.#known[position] ??= reply;
    this.#flush();
  }

  /** Whoever has no reply gets this one. */
  conclude(reply: Reply): void {
    for (const position of this.#known.keys()) this.set(position, reply);
  }

  #flush(): void {
    while (this.#open) {
      const reply = this.#known[this.#next];
      if (reply === undefined) return;
      this.#next += 1;
      this.#send(reply);
    }
  }
}

/** Names whom a reply is about, on the first line: that is the line an MTA shows. */
function about(outcomes: readonly Outcome[], end: string): string {
  const names = outcomes.map(({ recipient }) => `<${recipient.raw}>`).join(', ');
  const first = outcomes[0]?.reply.text ?? '';
  return `${names}: ${first}\n${end}`;
}

function sameReply(a: Reply, b: Reply): boolean {
  return a.code === b.code && a.status === b.status && a.text === b.text;
}

/** Relayed to nobody, although no rule refused it: somebody else was refused. */
function wasWithheld({ verdict, downstream }: Outcome): boolean {
  return downstream === null && (verdict === null || verdict.kind === 'relay');
}

/**
 * One reply for many outcomes (mode `strictest`).
 *
 * The rules refused somebody: nothing was relayed, and a 5yz goes before a 4yz. Only downstreams refused: any 4yz makes
 * it that 4yz, so that nobody is lost; a 5yz beside a 2yz gives the 5yz, because the author must hear of it.
 */
export function combine(outcomes: readonly Outcome[]): Reply {
  const positive = outcomes.filter(({ reply }) => isPositive(reply));
  const transient = outcomes.filter(({ reply }) => isTransient(reply));
  const permanent = outcomes.filter(({ reply }) => isPermanent(reply));
  const [first] = outcomes;
  if (first === undefined) return replies.internalError;
  if (positive.length === outcomes.length || outcomes.every(({ reply }) => sameReply(reply, first.reply)))
    return first.reply;

  const withheld = outcomes.filter(wasWithheld);
  if (withheld.length > 0) {
    const refused = permanent.length > 0 ? permanent : transient.filter((outcome) => !withheld.includes(outcome));
    const strictest = refused[0] ?? first;
    return { ...strictest.reply, text: about(refused, 'The message was delivered to nobody') };
  }
  const [deferred] = transient;
  if (deferred !== undefined) return { ...deferred.reply, text: about(transient, 'Please send the message again') };
  const [refused] = permanent;
  if (refused === undefined) return first.reply;
  const rest = positive.length > 0 ? 'The other recipients have received the message' : 'Delivered to nobody';
  return { ...refused.reply, text: about(permanent, rest) };
}
