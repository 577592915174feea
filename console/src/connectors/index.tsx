// The mailboxes that are connected: a list, and each by itself.
import { Route, Routes } from 'react-router';
import { Details } from './details';
import { List } from './list';

export default function Connectors() {
  return (
    <Routes>
      <Route index element={<List />} />
      <Route path=":id" element={<Details />} />
    </Routes>
  );
}
