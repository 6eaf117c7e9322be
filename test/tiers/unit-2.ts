import { registerShare } from './share.js';

await registerShare('unit', 2, 4);
