/** koffi, which calls functions of shared libraries. Its settings hold for a process, and until the first library is loaded. */
import koffi from 'koffi';

/** What a function needs of a stack on another thread: what threads of a system have. koffi's 128 KiB are for small functions. */
const async_stack_size = 8 * 2 ** 20;

koffi.config({ ...koffi.config(), async_stack_size });

export default koffi;
