/**
 * destinations - where a recipient or a copy goes: its address on the way out and its downstream.
 */
import type { Recipient } from '../core/envelope.ts';
import { type Mailbox, printMailbox, sameMailbox } from '../core/mailbox.ts';
import type { ServedVerdict } from '../core/verdict.ts';
import type { Downstream } from '../downstream/downstream.ts';
import type { Decision } from './decide.ts';
import type { Delivery } from './relay.ts';

export type Destination = Omit<Delivery, 'edits'>;

/** Reports of what becomes of a copy would go to the author, who knows nothing of it (RFC 3461 section 4.1). */
const NEVER_NOTIFY = new Map([['NOTIFY', 'NEVER']]);

export class Destinations {
  readonly #route: (mailbox: Mailbox) => string;
  readonly #downstreams: ReadonlyMap<string, Downstream>;

  constructor(route: (mailbox: Mailbox) => string, downstreams: ReadonlyMap<string, Downstream>) {
    this.#route = route;
    this.#downstreams = downstreams;
  }

  /** `verdict`: null where the rules have not decided yet, but may have named another address. */
  of({ recipient, policy, evaluation }: Decision, verdict: ServedVerdict | null): Destination {
    switch (verdict?.kind) {
      case 'redirect':
        return this.#instead(recipient, verdict.to, verdict.downstream);
      case 'quarantine': {
        // One Maildir for a list: details are made up by whoever writes to them.
        const forwardPath = mailboxOfList(policy.address.list);
        const downstream = this.#named(verdict.downstream, forwardPath);
        return { recipient: { ...recipient, forwardPath }, downstream, insteadOf: null };
      }
      case 'relay':
        return { recipient, downstream: this.#named(verdict.downstream, recipient.forwardPath), insteadOf: null };
      default:
        return this.#instead(recipient, evaluation.redirected ?? recipient.forwardPath, null);
    }
  }

  #instead(recipient: Recipient, to: Mailbox, name: string | null): Destination {
    const downstream = this.#named(name, to);
    if (sameMailbox(to, recipient.forwardPath)) return { recipient, downstream, insteadOf: null };
    return { recipient: { ...recipient, ...pathOf(to) }, downstream, insteadOf: recipient.forwardPath };
  }

  ofCopy({ recipient }: Decision, to: Mailbox): Destination {
    const copied = { ...pathOf(to), parameters: NEVER_NOTIFY };
    return { recipient: copied, downstream: this.#named(null, to), insteadOf: recipient.forwardPath };
  }

  /** `name`: null for the one that the routes say. */
  #named(name: string | null, mailbox: Mailbox): Downstream {
    const wanted = name ?? this.#route(mailbox);
    const downstream = this.#downstreams.get(wanted);
    if (downstream === undefined) throw new Error(`no downstream is named "${wanted}"`);
    return downstream;
  }
}

function pathOf(mailbox: Mailbox): Pick<Recipient, 'forwardPath' | 'raw'> {
  return { forwardPath: mailbox, raw: printMailbox(mailbox) };
}

function mailboxOfList(list: string): Mailbox {
  const at = list.lastIndexOf('@');
  return { localPart: list.slice(0, at), domain: list.slice(at + 1) };
}
