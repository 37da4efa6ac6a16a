import type { Output } from './output';
export const demoCommand = async (_: readonly string[], output: Output): Promise<number> => (
  output.line('demo'),
  0
);
