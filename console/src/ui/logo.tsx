// The mark of the console.

export function Logo({ size }: { size: number }) {
  return (
    <svg width={size} height={size} viewBox="0 0 32 32" aria-hidden="true">
      <rect width="32" height="32" rx="8" fill="#2f5bd8" />
      <rect x="7" y="10" width="18" height="12" rx="1.5" fill="none" stroke="#fff" strokeWidth="2" />
      <path d="m8 11.5 8 6 8-6" fill="none" stroke="#fff" strokeWidth="2" strokeLinejoin="round" />
    </svg>
  );
}
