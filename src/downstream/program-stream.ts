/**
 * program-stream - a running program as a stream: what is written goes to its standard input, what is read comes from its
 * standard output.
 *
 * Says `connect` when the program runs, ends when the program does, and is closed when it has gone. Ended from our side
 * it may finish; destroyed it must go at once.
 */
import { Duplex } from 'node:stream';
import { type Child, hasExited, start, terminate } from './child.ts';

/** Milliseconds for a program to leave by itself when all was said. */
const LEAVE_PATIENCE = 1_000;

export class ProgramStream extends Duplex {
  readonly #program: readonly string[];
  readonly #onComplaint: (line: string) => void;
  #child: Child | null = null;

  constructor(program: readonly string[], writeAhead: number, onComplaint: (line: string) => void) {
    super({ writableHighWaterMark: writeAhead });
    this.#program = program;
    this.#onComplaint = onComplaint;
  }

  override _construct(callback: (error?: Error | null) => void): void {
    void start(this.#program, this.#onComplaint).then((started) => {
      if (started instanceof Error) {
        callback(started);
        return;
      }
      this.#child = started;
      started.stdout.on('data', (chunk: Buffer) => {
        if (!this.push(chunk)) started.stdout.pause();
      });
      started.stdout.on('end', () => this.push(null));
      callback();
      this.emit('connect');
    });
  }

  override _read(): void {
    this.#child?.stdout.resume();
  }

  /** That the program reads no more is no error here: its last words may still be on the way. */
  override _write(chunk: Buffer, _encoding: string, callback: () => void): void {
    this.#child?.stdin.write(chunk, () => callback());
  }

  override _final(callback: () => void): void {
    this.#child?.stdin.end();
    callback();
  }

  override _destroy(error: Error | null, callback: (error: Error | null) => void): void {
    const child = this.#child;
    if (child === null || hasExited(child)) {
      callback(error);
      return;
    }
    let timer: NodeJS.Timeout | null = null;
    child.once('exit', () => {
      if (timer !== null) clearTimeout(timer);
      callback(error);
    });
    child.stdout.resume();
    if (this.writableFinished) {
      timer = setTimeout(() => terminate(child), LEAVE_PATIENCE);
    } else {
      child.stdin.destroy();
      terminate(child);
    }
  }
}
