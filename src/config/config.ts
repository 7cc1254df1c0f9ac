/**
 * config - the configuration as the program uses it: typed and resolved.
 *
 * Paths are absolute, durations in milliseconds, sizes in octets, every default filled in.
 */
import type { Dialect } from '../core/facts.ts';
import type { Layout } from '../core/layout.ts';
import type { Address, Network } from './address.ts';
import type { Authorities, KeyPair } from './key-pair.ts';
import type { Route } from './routes.ts';

export interface ListenerConfig {
  readonly protocol: 'lmtp' | 'smtp';
  readonly address: Address;
  /** Access mode of a unix socket; null leaves it to the umask. */
  readonly mode: number | null;
  readonly clientFrom: 'peer' | 'xforward' | 'xclient' | 'proxy';
  /** Peers whose word on who the client is, is taken; on a unix socket every peer's is. */
  readonly trust: readonly Network[];
  /** One reply for many verdicts (SMTP only). */
  readonly mixed: 'split' | 'strictest' | 'prdr';
  readonly refuseAt: 'rcpt' | 'data';
  /** From the client's final dot to our last reply. */
  readonly deadline: number;
  /** Whether a Received: field is added. */
  readonly received: boolean;
  /** Whether DSN is offered where every downstream has it (RFC 3461). */
  readonly dsn: boolean;
  /** Whether CHUNKING is offered (RFC 3030). */
  readonly chunking: boolean;
  /** What STARTTLS is offered with; null: not at all. */
  readonly tls: KeyPair | null;
}

/** Path and arguments of a program that speaks LMTP. */
export interface Program {
  readonly program: readonly string[];
}

export interface DownstreamTls {
  readonly mode: 'required' | 'opportunistic';
  /** Null for those that come with Node. */
  readonly authorities: Authorities | null;
  /** Null for the host of the address. */
  readonly serverName: string | null;
}

export type DownstreamConfig =
  | {
      readonly kind: 'lmtp' | 'smtp';
      readonly name: string;
      /** Tried in this order; at least one. */
      readonly addresses: readonly (Address | Program)[];
      /** Whether it is asked about each recipient at RCPT. */
      readonly verifyRecipients: boolean;
      /** Transactions at a time; null: no limit. */
      readonly connections: number | null;
      /** Whether the client is told to it by XFORWARD, where it offers that. */
      readonly xforward: boolean;
      /** What is asked of TLS; null: nothing, and it is not used. */
      readonly tls: DownstreamTls | null;
    }
  | {
      readonly kind: 'pipe';
      readonly name: string;
      /** Path and arguments, with placeholders. */
      readonly program: readonly string[];
      /** Runs at a time. */
      readonly connections: number;
    }
  | { readonly kind: 'maildir'; readonly name: string; readonly folder: string; readonly layout: Layout };

export interface ListsConfig {
  readonly folder: string;
  readonly layout: Layout;
  readonly dialect: Dialect;
}

/** What the files of lists may do. */
export interface MayConfig {
  /** Null for all that can only tighten or tag. */
  readonly actions: readonly string[] | null;
  readonly conditions: readonly string[] | null;
  readonly regex: boolean;
  readonly rules: number;
  readonly sets: number;
  /** In octets. */
  readonly patterns: number;
}

export interface Config {
  /** The configuration file. */
  readonly file: string;
  readonly hostname: string;
  readonly listen: readonly ListenerConfig[];
  readonly downstreams: readonly DownstreamConfig[];
  /** The last one takes every recipient. */
  readonly routes: readonly Route[];
  readonly rules: {
    readonly system: string | null;
    readonly presets: string | null;
    readonly lists: ListsConfig | null;
    readonly may: MayConfig;
  };
  readonly limits: {
    readonly message: number;
    readonly memory: number;
    readonly connections: number;
    /** At each listener; null: no limit but that of all. */
    readonly connectionsPerPeer: number | null;
    readonly recipients: number;
    /** Bad commands, and commands, of one session since its last message. */
    readonly errors: number;
    readonly commands: number;
    readonly bareNewline: 'reject' | 'normalize';
  };
  readonly timeouts: {
    readonly client: number;
    readonly connect: number;
    readonly reply: number;
    readonly drain: number;
  };
  /** Where rules remember what came before. */
  readonly store: 'memory';
  readonly log: {
    readonly level: 'trace' | 'debug' | 'info' | 'warn' | 'error';
    readonly format: 'json' | 'pretty';
  };
  /** Where metrics and health are told; null for nowhere. */
  readonly admin: Address | null;
  /** Processes that take mail. */
  readonly workers: number;
}
