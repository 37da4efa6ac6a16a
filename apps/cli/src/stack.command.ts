import type { Output } from './output';
export const stackCommand = async (_: readonly string[], output: Output): Promise<number> => (
  output.line('stack'),
  0
);
