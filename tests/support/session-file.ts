import { randomUUID } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const folders: string[] = [];

/** A file for --sessions with that many made-up sessions, or with these lines. */
export function sessionFile(content: number | unknown[]): string {
  const lines = typeof content === 'number' ? Array.from({ length: content }, madeUpSession) : content;
  const folder = mkdtempSync(join(tmpdir(), 'admin-service-test-'));
  folders.push(folder);
  const path = join(folder, 'sessions.jsonl');
  const text = lines.map((line) => (typeof line === 'string' ? line : JSON.stringify(line))).join('\n');
  writeFileSync(path, `${text}\n`);
  return path;
}

export function madeUpSession() {
  return {
    sessionId: randomUUID(),
    trainerToken: `trainer-${randomUUID()}`,
    studentToken: `student-${randomUUID()}`,
    home: { latitude: 12.9716, longitude: 77.5946 },
  };
}

afterAll(() => {
  for (const folder of folders) rmSync(folder, { recursive: true, force: true });
});
