import { registerShare } from './share.js';

await registerShare('recipe', 4, 8);
