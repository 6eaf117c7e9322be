import { registerShare } from './share.js';

await registerShare('recipe', 8, 8);
