-- Sample sessions in Bengaluru with fixed ids. Inserting them again changes nothing.
insert into tutoring_sessions (id, student_id, trainer_id, status, student_home_location, subject, scheduled_at)
values
  -- For manual calls: nothing else uses this session.
  ('5e55a000-0000-4000-8000-000000000001', '57d00000-0000-4000-8000-000000000001', '7a100000-0000-4000-8000-000000000001',
   'scheduled', '{"latitude": 12.978369, "longitude": 77.640835, "address": "100 Feet Road, Indiranagar, Bengaluru 560038"}',
   'Mathematics, class 9', now() + interval '30 minutes'),
  ('5e55a000-0000-4000-8000-000000000002', '57d00000-0000-4000-8000-000000000002', '7a100000-0000-4000-8000-000000000001',
   'scheduled', '{"latitude": 12.935192, "longitude": 77.624480, "address": "5th Block, Koramangala, Bengaluru 560095"}',
   'Physics, class 11', now() + interval '3 hours'),
  ('5e55a000-0000-4000-8000-000000000003', '57d00000-0000-4000-8000-000000000003', '7a100000-0000-4000-8000-000000000002',
   'pending_verification', '{"latitude": 12.925007, "longitude": 77.593803, "address": "4th Block, Jayanagar, Bengaluru 560011"}',
   'Carnatic vocal, beginners', now() + interval '1 hour'),
  -- Completed: a journey cannot start.
  ('5e55a000-0000-4000-8000-000000000004', '57d00000-0000-4000-8000-000000000001', '7a100000-0000-4000-8000-000000000002',
   'completed', '{"latitude": 12.978369, "longitude": 77.640835, "address": "100 Feet Road, Indiranagar, Bengaluru 560038"}',
   'Chemistry, class 10', now() - interval '1 day'),
  -- Without a home location: a journey can start, but not arrive.
  ('5e55a000-0000-4000-8000-000000000005', '57d00000-0000-4000-8000-000000000004', '7a100000-0000-4000-8000-000000000003',
   'scheduled', null,
   'English conversation', now() + interval '2 hours'),
  ('5e55a000-0000-4000-8000-000000000006', '57d00000-0000-4000-8000-000000000005', '7a100000-0000-4000-8000-000000000003',
   'cancelled', '{"latitude": 12.911623, "longitude": 77.638862, "address": "Sector 2, HSR Layout, Bengaluru 560102"}',
   'Biology, class 12', now() + interval '5 hours'),
  -- Without a trainer.
  ('5e55a000-0000-4000-8000-000000000007', '57d00000-0000-4000-8000-000000000006', null,
   'scheduled', '{"latitude": 12.998247, "longitude": 77.569359, "address": "Margosa Road, Malleshwaram, Bengaluru 560003"}',
   'Kannada, class 6', now() + interval '2 days')
on conflict (id) do nothing;
