-- Little is NOT NULL here, so that rows can break the contract as those of an old product do.
CREATE TABLE users (
	id text PRIMARY KEY,
	registered_at timestamptz,
	email text,
	email_verified boolean,
	phone text,
	name text,
	country text,
	marketing_consent boolean,
	analytics_consent boolean,
	deleted boolean,
	updated_at timestamptz NOT NULL,
	tx xid8 NOT NULL DEFAULT pg_current_xact_id()
);
CREATE TABLE devices (
	id text PRIMARY KEY,
	type text,
	platform text,
	model text,
	first_seen_at timestamptz,
	registered_by text,
	updated_at timestamptz NOT NULL,
	tx xid8 NOT NULL DEFAULT pg_current_xact_id()
);
CREATE TABLE logins (
	id bigint PRIMARY KEY,
	at timestamptz NOT NULL,
	user_id text,
	device_id text,
	session text,
	kind text,
	tx xid8 NOT NULL DEFAULT pg_current_xact_id()
);
CREATE TABLE viewing_actions (
	id bigint PRIMARY KEY,
	started_at timestamptz NOT NULL,
	user_id text,
	device_id text,
	title text,
	seconds integer,
	tx xid8 NOT NULL DEFAULT pg_current_xact_id()
);
CREATE TABLE ab_assignments (
	id bigint PRIMARY KEY,
	experiment text,
	unit_type text,
	unit_id text,
	variant text,
	kind text,
	assigned_at timestamptz NOT NULL,
	platform text,
	country text,
	device_id text,
	tx xid8 NOT NULL DEFAULT pg_current_xact_id()
);
CREATE INDEX users_by_change ON users (updated_at, id);
CREATE INDEX devices_by_change ON devices (updated_at, id);
CREATE INDEX logins_by_time ON logins (at, id);
CREATE INDEX viewing_actions_by_time ON viewing_actions (started_at, id);
CREATE INDEX ab_assignments_by_time ON ab_assignments (assigned_at, id);

CREATE OR REPLACE FUNCTION stamp_tx() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
	NEW.tx := pg_current_xact_id();
	RETURN NEW;
END $$;
CREATE TRIGGER stamp_tx BEFORE UPDATE ON users FOR EACH ROW EXECUTE FUNCTION stamp_tx();
CREATE TRIGGER stamp_tx BEFORE UPDATE ON devices FOR EACH ROW EXECUTE FUNCTION stamp_tx();
CREATE TRIGGER stamp_tx BEFORE UPDATE ON logins FOR EACH ROW EXECUTE FUNCTION stamp_tx();
CREATE TRIGGER stamp_tx BEFORE UPDATE ON viewing_actions FOR EACH ROW EXECUTE FUNCTION stamp_tx();
CREATE TRIGGER stamp_tx BEFORE UPDATE ON ab_assignments FOR EACH ROW EXECUTE FUNCTION stamp_tx();
