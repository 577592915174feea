// The pages that the issuer returns to inside a frame or a popup. They hand the answer to the page that asked, and show nothing.
import { UserManager } from 'oidc-client-ts';
import { useEffect } from 'react';
import { Loading } from '../ui';

export default function Silent({ how }: { how: 'silent' | 'popup' }) {
  useEffect(() => {
    // The answer goes to the asking page as it is; that page knows the issuer and checks it.
    const manager = new UserManager({ authority: '', client_id: '', redirect_uri: '' });
    void (how === 'silent' ? manager.signinSilentCallback() : manager.signinPopupCallback()).catch(() => window.close());
  }, [how]);
  return <Loading what="Signing in" />;
}
