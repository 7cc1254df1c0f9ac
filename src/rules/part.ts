/**
 * part - what every part of the rule language says of itself: name, summary, the shape of its argument, examples.
 *
 * A part is one file and one object. The reference and the JSON Schema are derived from that object, and its examples are
 * run as tests.
 */
import type { z } from 'zod';

export interface PartSpec<A> {
  /** The key in YAML; the file has the same name with `-` for `_`. */
  readonly name: string;
  /** One sentence for list owners. */
  readonly summary: string;
  /** Where the field or the reply is defined, such as `RFC 5322 section 3.6.2`. */
  readonly reference: string | null;
  readonly argument: z.ZodType<A>;
  /** Only the system's file may use it. */
  readonly systemOnly?: true;
}

/** The message and the envelope of an example; what is left out is ordinary. */
export interface Given {
  /** The reverse-path; empty for `<>`. */
  readonly from?: string;
  readonly to?: string;
  /** The client's IP address; null where nobody told. */
  readonly client?: string | null;
  /** The client's host name. */
  readonly clientName?: string;
  readonly helo?: string;
  readonly tls?: boolean | null;
  /** The name the client authenticated with, null if it did not. */
  readonly login?: string | null;
  /** The value of SIZE= in MAIL. */
  readonly declaredSize?: string;
  /** The time of the transaction (RFC 3339). */
  readonly now?: string;
  /** What rules before have scored. */
  readonly score?: number;
  /** The recipients that the transaction names beside `to`, the last of them behind it. */
  readonly others?: readonly string[];
  /** The header section, its lines separated by line feeds. */
  readonly header?: string;
  /** What stands behind the header section, its lines separated by line feeds. */
  readonly body?: string;
  /** Octets of the whole content. */
  readonly size?: number;
}
