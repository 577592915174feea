// Triggers: which mail of which mailbox fires, and for which agent.
import { Route, Routes } from 'react-router';
import { TriggerList } from './list';
import { ChangeTrigger, NewTrigger } from './edit';

export default function Triggers() {
  return (
    <Routes>
      <Route index element={<TriggerList />} />
      <Route path="new" element={<NewTrigger />} />
      <Route path=":id" element={<ChangeTrigger />} />
    </Routes>
  );
}
