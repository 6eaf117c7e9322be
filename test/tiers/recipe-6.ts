import { registerShare } from './share.js';

await registerShare('recipe', 6, 8);
