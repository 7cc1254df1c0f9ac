/**
 * site - an MTA with Postern behind its queue, made from an example for one test and put away with it.
 */
import { Example } from './example.ts';
import { oddMessage } from './odd-message.ts';
import { Postern, putAway } from './postern.ts';
import type { RecordingServer } from './recording-server.ts';
import { type Address, Sandbox } from './sandbox.ts';
import { type Answers, submit } from './smtp-client.ts';

export abstract class Site<Options> {
  readonly sandbox: Sandbox;
  readonly example: Example;
  /** Where the MTA takes mail. */
  front: Address = '';
  /** Where Postern does. */
  listens: readonly Address[] = [];
  postern!: Postern;
  /** The mail server of authors: takes bounces. */
  mailHome!: RecordingServer;

  constructor(example: string, name: string) {
    this.sandbox = new Sandbox(name);
    this.example = new Example(this.sandbox, example);
  }

  protected abstract start(options: Options): Promise<void>;

  /** Starts it, runs a test with it and puts it away. */
  async use(options: Options, run: (site: this) => Promise<void>): Promise<void> {
    try {
      await this.start(options);
      await run(this);
    } catch (error) {
      await this.sandbox.close();
      throw error;
    }
    await putAway(this.sandbox, this.postern);
  }

  async startPostern(): Promise<void> {
    this.postern = await Postern.start(this.sandbox, ['--config', this.example.path('postern.yaml')], this.listens);
  }

  send(subject: string, to: readonly string[], from = 'ann@example.net'): Promise<Answers> {
    return submit(this.front, { from, to, content: oddMessage({ author: from, to: to.join(', '), subject }) });
  }
}
