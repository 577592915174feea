// A consent that went on in this tab and came back here.
import { useEffect, useState } from 'react';
import { peekResumed, resumed as takeResumed, type Resumed } from '../consent/handover';

export function useResumed(): { resumed: Resumed | null; forget: () => void } {
  const [found, setFound] = useState(peekResumed);
  useEffect(takeResumed, []);
  return { resumed: found, forget: () => setFound(null) };
}
