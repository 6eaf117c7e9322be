import { registerShare } from './share.js';

await registerShare('unit', 3, 4);
