// What a view throws ends here, not in an empty page.
import { useQueryErrorResetBoundary } from '@tanstack/react-query';
import { Component, type ReactNode } from 'react';
import { Problem } from '../ui';

type Props = { reset: () => void; children: ReactNode };

class Catch extends Component<Props, { error: unknown }> {
  override state: { error: unknown } = { error: undefined };

  static getDerivedStateFromError(error: unknown) {
    return { error };
  }

  override render() {
    if (this.state.error === undefined) return this.props.children;
    const again = () => {
      this.props.reset();
      this.setState({ error: undefined });
    };
    return <Problem error={this.state.error} onRetry={again} />;
  }
}

export function Boundary({ children }: { children: ReactNode }) {
  const { reset } = useQueryErrorResetBoundary();
  return <Catch reset={reset}>{children}</Catch>;
}
