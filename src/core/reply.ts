/**
 * reply - SMTP replies as values (RFC 5321 section 4.2, RFC 3463), and the named replies of the product.
 *
 * The text of a reply is public: what the client may know. The reason goes to the log.
 */

/** class.subject.detail (RFC 3463 section 2). */
export type EnhancedStatusCode = `${2 | 4 | 5}.${number}.${number}`;

/** `text` may hold several lines, separated by a line feed; neither code nor status stand in it. */
export interface Reply {
  readonly code: number;
  readonly status: EnhancedStatusCode | null;
  readonly text: string;
}

export function reply(code: number, status: EnhancedStatusCode | null, text: string): Reply {
  return { code, status, text };
}

/** 2yz: the server took responsibility. */
export function isPositive(r: Reply): boolean {
  return r.code >= 200 && r.code < 300;
}

/** 4yz: the client keeps the message and tries again. */
export function isTransient(r: Reply): boolean {
  return r.code >= 400 && r.code < 500;
}

/** 5yz: the client gives up and tells the author. */
export function isPermanent(r: Reply): boolean {
  return r.code >= 500 && r.code < 600;
}

/** What `withId` puts behind a text. */
export const ID = /\(id [0-9A-Z]+\)/;

/** The same reply with the transaction's id behind its text, so that the log can be found from it. */
export function withId(r: Reply, id: string): Reply {
  return { ...r, text: `${r.text} (id ${id})` };
}

export const replies = {
  mailAccepted: reply(250, '2.1.0', 'Ok'),
  recipientAccepted: reply(250, '2.1.5', 'Ok'),
  messageAccepted: reply(250, '2.0.0', 'Ok'),
  receivedBefore: reply(250, '2.0.0', 'Ok, received before'),
  startContent: reply(354, null, 'End data with <CR><LF>.<CR><LF>'),
  internalError: reply(451, '4.3.0', 'Internal error; please try again later'),
  policyUnavailable: reply(451, '4.3.0', 'The rules for this recipient cannot be applied now; please try again later'),
  clientGone: reply(451, '4.4.2', 'The connection was lost'),
  contentIncomplete: reply(451, '4.4.2', 'The message was not received completely'),
  tooLarge: reply(552, '5.3.4', 'Message size exceeds the limit of this server'),
  bareNewline: reply(550, '5.6.11', 'The message holds a bare newline: lines must end with CR LF'),
  nul: reply(550, '5.6.11', 'The message holds a NUL octet'),
  noStorage: reply(452, '4.3.1', 'Insufficient system storage; please try again later'),
  tooManyRecipients: reply(452, '4.5.3', 'Too many recipients'),
  wrongVerb: reply(421, '4.3.2', 'Wrong greeting for this listener'),
  shuttingDown: reply(421, '4.3.2', 'Service shutting down'),
  tooManyConnections: reply(421, '4.3.2', 'Too many connections; please try again later'),
} as const;
