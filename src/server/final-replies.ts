/**
 * final-replies - what the client is told after the dot.
 *
 * LMTP: one reply for each accepted RCPT, in RCPT order, each as soon as all before it are known (RFC 2033 section 4.2).
 * SMTP: one reply for all, made by `combine`. SMTP with PRDR (draft-hall-prdr): 353, one for each as in LMTP, and one more.
 */
import { isPermanent, isPositive, isTransient, type Reply, replies, reply, withId } from '../core/reply.ts';
import { type Outcome, refuses } from '../core/verdict.ts';

/** The replies to one message. */
export interface FinalReplies {
  /** The content has come to its end: from now on replies may be given. */
  open(): void;
  /** The outcome of the accepted recipient at that position. */
  set(position: number, outcome: Outcome): void;
  /** No more outcomes will come; whoever has none is deferred. `id`: of the transaction. */
  conclude(outcomes: readonly Outcome[], id: string): void;
}

/** `count` recipients were accepted. PRDR with one of them is as without, which is what clients expect. */
export function finalReplies(how: 'each' | 'one' | 'prdr', count: number, send: (reply: Reply) => void): FinalReplies {
  if (how === 'one' || (how === 'prdr' && count < 2)) {
    const conclude = (outcomes: readonly Outcome[], id: string): void =>
      send(outcomes.length === 0 ? withId(replies.internalError, id) : combine(outcomes));
    return { open: () => {}, set: () => {}, conclude };
  }
  const ordered = new OrderedReplies(count, send);
  return {
    open() {
      if (how === 'prdr') send(CONTENT_ANALYSIS);
      ordered.open();
    },
    set: (position, outcome) => ordered.set(position, outcome.reply),
    conclude(outcomes, id) {
      ordered.conclude(withId(replies.internalError, id));
      if (how === 'prdr') send(withId(summarize(outcomes), id));
    },
  };
}

const CONTENT_ANALYSIS = reply(353, null, 'Content analysis has begun; a reply for each recipient follows');

/**
 * The last reply of PRDR. Exim fails everybody at a 5yz, whatever they were told, and defers those who were told 2yz at a
 * 4yz: so it is 2yz where anybody has the message, and a 5yz only where everybody was refused for good.
 */
function summarize(outcomes: readonly Outcome[]): Reply {
  const served = outcomes.filter(({ reply: r }) => isPositive(r)).length;
  if (served > 0) return reply(250, '2.0.0', `Accepted for ${served} of ${outcomes.length} recipients`);
  const forGood = outcomes.length > 0 && outcomes.every(({ reply: r }) => isPermanent(r));
  return forGood
    ? reply(550, '5.0.0', 'Accepted for none of the recipients')
    : reply(451, '4.0.0', 'Accepted for none of the recipients; please try again later');
}

/** Gives replies in order although they become known in any order. */
class OrderedReplies {
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
    for (let position = this.#next; position < this.#known.length; position++) this.set(position, reply);
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

/** Recipients that are named for one reason, and characters of a name: the reason must stay on the first line. */
const MOST_NAMES = 3;
const LONGEST_NAME = 100;

/**
 * Whom a reply is about and why, in front of all `words`, on the first line: that is the line an MTA shows. Other reasons
 * follow.
 */
function about(words: string, outcomes: readonly Outcome[]): string {
  const reasons = new Map<string, string[]>();
  for (const { recipient, reply: given } of outcomes) {
    const names = reasons.get(given.text) ?? [];
    reasons.set(given.text, names);
    names.push(`<${recipient.raw.slice(0, LONGEST_NAME)}>`);
  }
  return `${words} ${[...reasons].map(([text, names]) => `${listed(names)}: ${text}`).join('\n')}`;
}

function listed(names: readonly string[]): string {
  const more = names.length - MOST_NAMES;
  return `${names.slice(0, MOST_NAMES).join(', ')}${more > 0 ? ` and ${more} more` : ''}`;
}

function sameReply(a: Reply, b: Reply): boolean {
  return a.code === b.code && a.status === b.status && a.text === b.text;
}

/** Not delivered, although no rule refused it. */
function wasWithheld({ verdict, downstream, reply: r }: Outcome): boolean {
  return downstream === null && !refuses(verdict) && isTransient(r);
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

  const byRules = outcomes.filter(({ verdict }) => refuses(verdict));
  const forGood = byRules.filter(({ reply: r }) => isPermanent(r));
  const strictest = forGood.length > 0 ? forGood : byRules;
  const [strict] = strictest;
  if (strict !== undefined && outcomes.some(wasWithheld)) {
    return { ...strict.reply, text: about('Delivered to nobody, because of', strictest) };
  }
  const [deferred] = transient;
  if (deferred !== undefined) return { ...deferred.reply, text: about('Not delivered yet to', transient) };
  const [refused] = permanent;
  if (refused === undefined) return first.reply;
  const words = positive.length > 0 ? 'Delivered to the others, but not to' : 'Delivered to nobody, not to';
  return { ...refused.reply, text: about(words, permanent) };
}
