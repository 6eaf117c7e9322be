import { registerShare } from './share.js';

await registerShare(2, 4);
