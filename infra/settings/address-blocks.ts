/** Whether two IPv4 CIDR blocks, such as 10.0.0.0/16, overlap. */
export function blocksOverlap(one: string, other: string): boolean {
  const [first, second] = [rangeOf(one), rangeOf(other)];
  return first.from <= second.to && second.from <= first.to;
}

function rangeOf(block: string): { from: number; to: number } {
  const [address = '', bits = '32'] = block.split('/');
  const number = address.split('.').reduce((sum, part) => sum * 256 + Number(part), 0);
  const size = 2 ** (32 - Number(bits));
  const from = Math.floor(number / size) * size;
  return { from, to: from + size - 1 };
}
