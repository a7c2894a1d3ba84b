export default async function globalTeardown() {
  await globalThis.realServices?.stop();
}
