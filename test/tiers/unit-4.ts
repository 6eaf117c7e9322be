import { registerShare } from './share.js';

await registerShare('unit', 4, 4);
