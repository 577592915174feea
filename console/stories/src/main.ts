// Every story, one after the other in one browser.

import { after } from 'node:test';
import './first-firing.story.js';
import './weight.story.js';
import './roles.story.js';
import './hostile.story.js';
import './consent.story.js';
import './administrator.story.js';
import './connectors.story.js';
import './triggers.story.js';
import './folders.story.js';
import './session.story.js';
import './embedded.story.js';
import './accessible.story.js';
import './lighthouse.story.js';
import { farewell } from './story.js';

after(farewell);
