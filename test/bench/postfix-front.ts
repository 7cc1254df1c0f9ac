/**
 * postfix-front - a Postfix with a queue in front of Postern: smtp-source fills it, its log tells what became of each
 * recipient (`sent`, `bounced`) and how often it was tried in vain (`deferred`).
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { setTimeout as pause } from 'node:timers/promises';
import { Postfix, whyNoPostfix } from '../e2e/postfix.ts';
import { type Address, freeAddress, type Sandbox } from '../e2e/sandbox.ts';
import type { Front, Heard } from './chaos.ts';
import { startSink } from './subjects.ts';

interface FrontOptions {
  /** Where Postern listens. */
  readonly listener: Address;
  readonly messages: number;
  /** Lists; each recipient is one of them with a number in front. */
  readonly good: string;
  readonly refused: string;
}

/** smtp-source writes this Subject into all; the recipients tell the messages apart. */
const SUBJECT = 'chaos';

const ATTEMPT = /\/lmtp\[.*: to=<([^>]*)>,.* status=(sent|bounced|deferred) /gm;

export class PostfixFront implements Front {
  readonly heard = new Map<string, Heard>();
  readonly #postfix: Postfix;
  readonly #door: Address;
  readonly #options: FrontOptions;
  /** Octets of the log that were read. */
  #read = 0;

  private constructor(postfix: Postfix, door: Address, options: FrontOptions) {
    this.#postfix = postfix;
    this.#door = door;
    this.#options = options;
  }

  static async start(sandbox: Sandbox, options: FrontOptions): Promise<PostfixFront> {
    const missing = whyNoPostfix();
    if (missing !== false) throw new Error(missing);
    const door = await freeAddress();
    // Bounces go where nobody counts them.
    const elsewhere = await startSink(sandbox, 'smtp');
    const postfix = await Postfix.start(sandbox, {
      // A destination that fails now and then is no reason to wait: that is what this run is about.
      main: `default_destination_concurrency_failed_cohort_limit = 1000
default_destination_concurrency_negative_feedback = 0
initial_destination_concurrency = 20
transport_maps = inline:{ { lists.example.org = lmtp:inet:${options.listener} } }\nrelay_domains = lists.example.org\n`,
      master: `${door} inet n - n - - smtpd\n`,
      listens: [door],
      elsewhere: elsewhere.address,
    });
    return new PostfixFront(postfix, door, options);
  }

  /** Recipients of whom Postfix has heard the last. */
  get sent(): number {
    this.#readLog();
    return [...this.heard.values()].filter(({ final }) => final !== null).length;
  }

  async run(): Promise<void> {
    const { messages, good, refused } = this.#options;
    const third = Math.floor(messages / 3);
    await Promise.all([this.#fill(messages - third, good), this.#fill(third, refused)]);
    while (this.sent < messages) {
      this.#postfix.flush();
      await pause(1_000);
    }
  }

  async #fill(messages: number, list: string): Promise<void> {
    const args = [
      '-N',
      '-s',
      '10',
      '-m',
      `${messages}`,
      '-S',
      SUBJECT,
      '-f',
      'chaos@example.net',
      '-t',
      list,
      this.#door,
    ];
    const child = spawn('smtp-source', args, { stdio: 'inherit' });
    const [code] = await once(child, 'close');
    if (code !== 0) throw new Error(`smtp-source: exit ${code}`);
  }

  #readLog(): void {
    const log = this.#postfix.logBehind(this.#read);
    const news = log.toString('latin1', 0, log.lastIndexOf('\n') + 1);
    this.#read += news.length;
    for (const [, to = '', status] of news.matchAll(ATTEMPT)) {
      // Copied: a part of the log's text would keep all of it.
      const key = Buffer.from(`? ${to}`).toString();
      const heard = this.heard.get(key) ?? { final: null, failures: 0 };
      this.heard.set(key, heard);
      if (status === 'deferred') heard.failures += 1;
      else heard.final = status === 'sent' ? '250' : '550';
    }
  }
}
