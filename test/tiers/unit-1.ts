import { registerShare } from './share.js';

await registerShare('unit', 1, 4);
