import { registerShare } from './share.js';

await registerShare('recipe', 7, 8);
