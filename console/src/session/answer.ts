// The page that the issuer returns to inside a frame or a popup. It hands the answer to the page that asked, and shows nothing. It is a
// document of its own, since each visit begins with such a frame: nothing of the views is loaded in it.
import { UserManager } from 'oidc-client-ts';

// The answer goes to the asking page as it is; that page knows the issuer and checks it.
const manager = new UserManager({ authority: '', client_id: '', redirect_uri: '' });
const silent = /\/auth\/silent\/?$/.test(location.pathname);
void (silent ? manager.signinSilentCallback() : manager.signinPopupCallback()).catch(() => window.close());
