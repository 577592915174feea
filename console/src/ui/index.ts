// The component base. Views take everything from here.
export { Button, ButtonLink, type ButtonProps } from './button';
export { CopyButton, Json } from './copy';
export { Confirm, Dialog, DialogActions } from './dialog';
export { Field, SelectField, TextArea, TextField } from './field';
export { Actions, Fact, Facts, PageHead, Panel, Rows, Table } from './layout';
export { Logo } from './logo';
export { Badge, Empty, Forbidden, Loading, Notice, Problem, type Tone } from './state';
export { RelativeTime, exact, relative, useNow } from './time';
export { Toasts, useToast } from './toast';
