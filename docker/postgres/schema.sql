-- The part of the platform's table that this service needs. The service only reads it, by primary key.
-- Used by docker compose, by the development runner and by the tests.
create table if not exists tutoring_sessions (
  id uuid primary key,
  student_id uuid not null,
  trainer_id uuid,
  status text not null default 'scheduled',
  -- {"latitude": number, "longitude": number, "address"?: text}; null until the student provides it
  student_home_location jsonb,
  subject text,
  scheduled_at timestamptz not null default now() + interval '1 hour',
  duration_minutes integer not null default 60,
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now()
);

create index if not exists tutoring_sessions_by_trainer on tutoring_sessions (trainer_id, scheduled_at);
