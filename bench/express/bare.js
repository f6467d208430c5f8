/** Express without any authorization: the speed to compare with. */

import { SUBJECT, serve } from './server.js';

serve(() => SUBJECT);
